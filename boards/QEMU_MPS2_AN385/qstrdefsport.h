// No strings beyond those found in the sources.
