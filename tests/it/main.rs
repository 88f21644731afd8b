//! Whole paths through Pollux, against real parts where there are some.

mod mosquitto;
