SRC_USERMOD_C += $(USERMOD_DIR)/modvirt.c
