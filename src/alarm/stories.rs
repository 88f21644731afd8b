//! Small stories of one alarm each, told in full: what the words of the module's documentation mean.
