//! Integration tests: one crate, so that Bevy is linked once.

mod alarm_rules;
mod alarms;
mod beside;
mod broker;
mod core;
#[cfg(feature = "desktop")]
mod film;
mod live;
mod models;
mod mosquitto;
#[cfg(feature = "desktop")]
mod picture;
mod plant;
mod plant_thread;
mod recent;
mod record;
mod recording_export;
mod recording_read;
mod replay;
mod restart;
mod rooms;
mod scene;
mod scene_edit;
mod store;
mod support;
