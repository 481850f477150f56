// Nothing: lwIP runs without an operating system here.
