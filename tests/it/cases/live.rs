//! Scenes, alarms, brokers and payloads.
