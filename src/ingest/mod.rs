//! From messages to samples: topic → signals, payload → values.
