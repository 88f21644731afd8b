//! Which labels of a crowd are shown, and how far above their twins, so that none lies over another.
//!
//! In: labels where they would like to be. Out: those that find room, each with its lift. A pure function of its input:
//! the same picture always gets the same labels. Never hides what needs a person or what the operator points at.

use bevy::prelude::*;

use super::label::{Badge, ScreenLabel};

/// Logical pixels. Text is measured by its count of characters, generously: fonts belong to the panel layer.
pub const LINE_HEIGHT: f32 = 16.0;
pub const PADDING: Vec2 = Vec2::new(6.0, 3.0);
pub const BADGE_WIDTH: f32 = 20.0;
const CHARACTER: f32 = 7.6;
/// Between two labels.
const GAP: f32 = 2.0;
/// Heights above its place that a label tries, in times its own height.
const LIFTS: [f32; 5] = [0.0, 0.6, 1.2, 1.8, 2.4];

/// The room a label takes. Values grow in steps of two characters, so that a changing digit moves nothing.
pub fn size(label: &ScreenLabel) -> Vec2 {
    let characters = |text: &str| text.chars().count() as f32;
    let head = characters(&label.id) * CHARACTER + if label.badge.is_some() { BADGE_WIDTH } else { 0.0 };
    let values = label.values.iter().map(|(text, _)| (characters(text) / 2.0).ceil() * 2.0 * CHARACTER);
    let lines = 1 + label.values.len();
    Vec2::new(values.fold(head, f32::max), lines as f32 * LINE_HEIGHT) + 2.0 * PADDING
}

/// The rectangle of a label that stands `label.lift` above its place.
pub fn rect(label: &ScreenLabel) -> Rect {
    let size = size(label);
    let bottom = label.at - Vec2::Y * label.lift;
    Rect::from_corners(bottom - Vec2::new(size.x / 2.0, size.y), bottom + Vec2::new(size.x / 2.0, 0.0))
}

/// Smaller is more important.
fn rank(label: &ScreenLabel) -> u8 {
    match (label.chosen, label.badge) {
        (true, _) => 0,
        (_, Some(Badge::Alarm(alarm))) => 2 * alarm.priority.number() - u8::from(alarm.unacknowledged),
        (_, Some(Badge::Stale)) => LAST_ALARM + 1,
        (_, Some(Badge::Aside(_))) => LAST_ALARM + 2,
        (_, None) => LAST_ALARM + 3,
    }
}

/// The rank of an acknowledged alarm of the lowest priority.
const LAST_ALARM: u8 = 8;

/// Gives the labels that have room within `bounds`, most important last, which is the order to paint them in. Of equals
/// the nearest wins.
pub fn declutter(mut labels: Vec<ScreenLabel>, bounds: Rect) -> Vec<ScreenLabel> {
    labels.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.distance.total_cmp(&b.distance)).then(a.twin.0.cmp(&b.twin.0)));
    let mut taken: Vec<Rect> = Vec::with_capacity(labels.len());
    let mut shown = Vec::with_capacity(labels.len());
    for mut label in labels {
        let half = size(&label).x / 2.0 + GAP;
        // A label at the edge of the view moves in rather than being cut.
        if bounds.width() > 2.0 * half {
            label.at.x = label.at.x.clamp(bounds.min.x + half, bounds.max.x - half);
        }
        let height = size(&label).y;
        let free = LIFTS.iter().map(|lift| lift * height).find(|lift| {
            let wanted = rect(&ScreenLabel { lift: *lift, ..label.clone() }).inflate(GAP);
            wanted.min.y >= bounds.min.y && taken.iter().all(|other| other.intersect(wanted).is_empty())
        });
        match free {
            Some(lift) => label.lift = lift,
            None if rank(&label) <= LAST_ALARM => label.at.y = label.at.y.max(bounds.min.y + height),
            None => continue,
        }
        taken.push(rect(&label));
        shown.push(label);
    }
    shown.reverse();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::{Priority, Urgency};
    use crate::twin::{Grade, TwinIndex};

    fn label(twin: u32, x: f32, distance: f32) -> ScreenLabel {
        ScreenLabel {
            twin: TwinIndex(twin),
            at: Vec2::new(x, 300.0),
            lift: 0.0,
            distance,
            id: format!("T-{twin}"),
            values: vec![("1.80 m".into(), Grade::Good)],
            badge: None,
            chosen: false,
        }
    }

    fn view() -> Rect {
        Rect::new(0.0, 0.0, 800.0, 600.0)
    }

    fn crowd() -> Vec<ScreenLabel> {
        (0..30).map(|i| label(i, 300.0 + 5.0 * i as f32, 20.0 + ((i * 7) % 30) as f32)).collect()
    }

    #[test]
    fn no_two_labels_lie_over_each_other_and_none_leaves_the_view() {
        let shown = declutter(crowd(), view());
        assert!(shown.len() > 5 && shown.len() < 30, "{}", shown.len());
        for (i, a) in shown.iter().enumerate() {
            assert!(view().contains(rect(a).min) && view().contains(rect(a).max), "{a:?}");
            assert!(shown[..i].iter().all(|b| rect(a).intersect(rect(b)).is_empty()), "{a:?}");
        }
        assert_eq!(shown, declutter(crowd().into_iter().rev().collect(), view()), "order of input does not matter");
    }

    #[test]
    fn an_alarm_and_the_chosen_twin_win_over_whatever_is_nearer() {
        let mut all = crowd();
        all[28].badge = Some(Badge::Alarm(Urgency { priority: Priority::Low, unacknowledged: false }));
        all[29].chosen = true;
        let shown = declutter(all, view());
        let last: Vec<u32> = shown.iter().rev().take(2).map(|label| label.twin.0).collect();
        assert_eq!(last, [29, 28]);
        assert_eq!(shown.last().map(|label| label.lift), Some(0.0), "the chosen one stays at its place");
    }

    #[test]
    fn of_two_equals_the_nearer_stays_and_the_other_moves_up() {
        let shown = declutter(vec![label(1, 300.0, 9.0), label(2, 302.0, 5.0)], view());
        let lifts: Vec<(u32, bool)> = shown.iter().map(|label| (label.twin.0, label.lift > 0.0)).collect();
        assert_eq!(lifts, [(1, true), (2, false)]);
    }

    #[test]
    fn a_changing_digit_moves_nothing() {
        let mut other = label(1, 300.0, 5.0);
        other.values[0].0 = "11.80 m".into();
        let mut longer = other.clone();
        longer.values[0].0 = "111.80 m".into();
        assert_eq!(size(&other), size(&longer));
    }
}
