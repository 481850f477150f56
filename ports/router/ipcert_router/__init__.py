"""ipcert as a router's service: reads UCI, watches the WAN's address, deploys to /etc/ssl/acme."""
