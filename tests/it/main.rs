//! Integration tests: one crate, so that Bevy is linked once.

#![expect(clippy::disallowed_methods, reason = "tests wait and measure in real time")]

mod against;
mod alarm_rules;
mod alarms;
mod bottling;
mod broker;
mod by_hand;
mod cases;
mod commands;
mod core;
mod costly_answers;
mod direct;
mod faults;
mod feeds;
#[cfg(feature = "desktop")]
mod film;
mod forecast;
mod instruct;
mod layers;
pub mod live;
mod malformed;
mod models;
mod mosquitto;
mod network;
mod origin;
#[cfg(feature = "desktop")]
mod picture;
mod plant;
mod plant_thread;
mod recent;
mod record;
mod recording_conclusions;
mod recording_export;
mod recording_read;
mod replay;
mod restart;
mod rooms;
mod scenario_commands;
mod scenario_mends;
mod scenarios;
mod scene;
mod scene_edit;
mod scene_models;
mod simulated;
mod stand_in;
mod store;
mod support;
