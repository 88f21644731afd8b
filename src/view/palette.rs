//! The colours of the 3D view. In: nothing. Out: constants and colour scales. After ISA-101: calm greys for what is
//! normal, saturated colour only for what needs a person.

use bevy::prelude::*;

use crate::layers::Look;
use crate::scene::ColourScale;
use crate::scene::rule::Priority;

/// Behind everything; the ground fades into it.
pub const BACKDROP: Color = Color::srgb(0.74, 0.755, 0.77);
pub const GROUND: Color = Color::srgb(0.66, 0.675, 0.69);
/// A twin without a model.
pub const PLAIN: Color = Color::srgb(0.62, 0.645, 0.67);
pub const PIPE: Color = Color::srgb(0.56, 0.585, 0.61);
pub const BELT: Color = Color::srgb(0.30, 0.315, 0.33);
pub const WIRE: Color = Color::srgb(0.22, 0.23, 0.245);
pub const SIGNAL: Color = Color::srgb(0.42, 0.52, 0.62);
/// The frame around the selected twin.
pub const SELECTED: Color = Color::srgb(0.0, 0.42, 0.78);
/// The frame around the twin under the pointer.
pub const HOVERED: Color = Color::srgb(0.36, 0.43, 0.50);
pub const CRITICAL: Color = Color::srgb(0.82, 0.13, 0.13);
pub const HIGH: Color = Color::srgb(0.95, 0.48, 0.05);
pub const MEDIUM: Color = Color::srgb(0.98, 0.80, 0.10);
pub const LOW: Color = Color::srgb(0.80, 0.76, 0.52);
pub const STALE: Color = Color::srgb(0.45, 0.40, 0.56);
/// Edge, pole and number of a beacon, and what is within a hollow one.
pub const BEACON_EDGE: Color = Color::srgb(0.10, 0.11, 0.12);
pub const BEACON_PAPER: Color = Color::srgb(0.93, 0.94, 0.95);

/// The colour of a layer: of ghosts, which are twins that are not there.
pub fn layer(look: &Look) -> Color {
    let [red, green, blue] = look.colour;
    Color::srgb_u8(red, green, blue)
}

/// The colour of an alarm: darker and redder the more urgent it is.
pub fn priority(priority: Priority) -> Color {
    match priority {
        Priority::Critical => CRITICAL,
        Priority::High => HIGH,
        Priority::Medium => MEDIUM,
        Priority::Low => LOW,
    }
}

/// `scale` at `t` in 0..=1 (clamped), as linear RGB.
pub fn sample(scale: ColourScale, t: f32) -> LinearRgba {
    let stops: &[(f32, f32, f32)] = match scale {
        // From grey-blue over pale to dark red: perceptually ordered and safe for red-green blindness.
        ColourScale::Thermal => {
            &[(0.31, 0.43, 0.62), (0.62, 0.69, 0.76), (0.86, 0.72, 0.50), (0.82, 0.42, 0.22), (0.62, 0.12, 0.10)]
        }
        ColourScale::Traffic => &[(0.58, 0.62, 0.64), (0.95, 0.70, 0.05), (0.82, 0.13, 0.13)],
        ColourScale::Grey => &[(0.25, 0.25, 0.26), (0.90, 0.90, 0.90)],
    };
    let t = if t.is_finite() { t.clamp(0.0, 1.0) } else { 0.0 };
    let place = t * (stops.len() - 1) as f32;
    let index = (place as usize).min(stops.len() - 2);
    let at = |(r, g, b): (f32, f32, f32)| LinearRgba::from(Srgba::rgb(r, g, b));
    at(stops[index]).mix(&at(stops[index + 1]), place - index as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_begin_and_end_at_their_stops_and_survive_any_number() {
        assert_eq!(sample(ColourScale::Grey, 0.0), sample(ColourScale::Grey, -5.0));
        assert_eq!(sample(ColourScale::Thermal, 1.0), sample(ColourScale::Thermal, f32::MAX));
        assert_eq!(sample(ColourScale::Thermal, f32::NAN), sample(ColourScale::Thermal, 0.0));
        let hot = sample(ColourScale::Thermal, 1.0);
        let cold = sample(ColourScale::Thermal, 0.0);
        assert!(hot.red > cold.red && hot.blue < cold.blue);
    }
}
