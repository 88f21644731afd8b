//! Which labels of a crowd are shown, and how far above their twins, so that none lies over another.
//!
//! In: labels where they would like to be. Out: those that find room, each with its lift, and, where there is none above its
//! twin and it must be shown, moved aside. A pure function of its input: the same picture always gets the same labels.
//! Never hides what needs a person or what the operator points at, and lays these over each other only where the whole
//! view has no room.

use bevy::prelude::*;

use super::badge::FAULT_WIDTH;
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

/// Labels that are looked at to find a place beside or between them, the nearest first.
const NEIGHBOURS: usize = 24;
/// With more labels than this nobody reads them one by one: no search for the last free place.
const MANY: usize = 64;

/// The room a label takes. Values grow in steps of two characters, so that a changing digit moves nothing.
pub fn size(label: &ScreenLabel) -> Vec2 {
    let characters = |text: &str| text.chars().count() as f32;
    let marks = if label.badge.is_some() { BADGE_WIDTH } else { 0.0 } + if label.is_broken { FAULT_WIDTH } else { 0.0 };
    let head = characters(&label.id) * CHARACTER + marks;
    let values = label.values.iter().map(|(text, _)| (characters(text) / 2.0).ceil() * 2.0 * CHARACTER);
    let lines = 1 + label.values.len();
    Vec2::new(values.fold(head, f32::max), lines as f32 * LINE_HEIGHT) + 2.0 * PADDING
}

/// The rectangle of a label that stands `label.lift` above its place.
pub fn rect(label: &ScreenLabel) -> Rect {
    let size = size(label);
    let bottom = label.at + Vec2::new(label.shift, -label.lift);
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
/// the nearest wins. No label lies under what is `covered`, as long as there is room beside it.
pub fn declutter(mut labels: Vec<ScreenLabel>, bounds: Rect, covered: Option<Rect>) -> Vec<ScreenLabel> {
    labels.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.distance.total_cmp(&b.distance)).then(a.twin.0.cmp(&b.twin.0)));
    let mut taken: Vec<Rect> = Vec::with_capacity(labels.len() + 1);
    taken.extend(covered);
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
            None if rank(&label) <= LAST_ALARM => match free_place(&label, &taken, bounds) {
                Some(place) => {
                    let wish = rect(&label);
                    (label.shift, label.lift) = (place.min.x - wish.min.x, wish.max.y - place.max.y);
                }
                None => label.at.y = label.at.y.max(bounds.min.y + height),
            },
            None => continue,
        }
        taken.push(rect(&label));
        shown.push(label);
    }
    shown.reverse();
    shown
}

/// The nearest place in view where a label lies over none of those that are placed already. It touches one of them or the
/// edge of the view on each axis on which it is not where it would like to be: so only few places have to be tried.
fn free_place(label: &ScreenLabel, taken: &[Rect], bounds: Rect) -> Option<Rect> {
    if taken.len() > MANY {
        return None;
    }
    let wish = rect(label);
    let size = wish.size();
    // Half a pixel more than is asked for, so that rounding does not spoil a place.
    let gap = GAP + 0.5;
    let mut near: Vec<&Rect> = taken.iter().collect();
    near.sort_by(|a, b| {
        a.center().distance_squared(wish.center()).total_cmp(&b.center().distance_squared(wish.center()))
    });
    near.truncate(NEIGHBOURS);
    let mut lefts = vec![wish.min.x, bounds.min.x + gap, bounds.max.x - size.x - gap];
    let mut tops = vec![wish.min.y, bounds.min.y + gap, bounds.max.y - size.y - gap];
    for other in near {
        lefts.extend([other.max.x + gap, other.min.x - size.x - gap]);
        tops.extend([other.max.y + gap, other.min.y - size.y - gap]);
    }
    let mut best: Option<(f32, Rect)> = None;
    for min in lefts.iter().flat_map(|left| tops.iter().map(|top| Vec2::new(*left, *top))) {
        let distance = min.distance_squared(wish.min);
        let place = Rect::from_corners(min, min + size);
        let is_better = best.is_none_or(|(nearest, _)| distance < nearest);
        let fits = |wanted: Rect| {
            bounds.contains(place.min)
                && bounds.contains(place.max)
                && taken.iter().all(|other| other.intersect(wanted).is_empty())
        };
        if is_better && fits(place.inflate(GAP)) {
            best = Some((distance, place));
        }
    }
    best.map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Urgency;
    use crate::scene::rule::Priority;
    use crate::value::{Grade, TwinIndex};

    fn label(twin: u32, x: f32, distance: f32) -> ScreenLabel {
        ScreenLabel {
            is_broken: false,
            twin: TwinIndex(twin),
            at: Vec2::new(x, 300.0),
            lift: 0.0,
            shift: 0.0,
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
        let shown = declutter(crowd(), view(), None);
        assert!(shown.len() > 5 && shown.len() < 30, "{}", shown.len());
        for (i, a) in shown.iter().enumerate() {
            assert!(view().contains(rect(a).min) && view().contains(rect(a).max), "{a:?}");
            assert!(shown[..i].iter().all(|b| rect(a).intersect(rect(b)).is_empty()), "{a:?}");
        }
        assert_eq!(
            shown,
            declutter(crowd().into_iter().rev().collect(), view(), None),
            "order of input does not matter"
        );
    }

    #[test]
    fn an_alarm_and_the_chosen_twin_win_over_whatever_is_nearer() {
        let mut all = crowd();
        all[28].badge = Some(Badge::Alarm(Urgency { priority: Priority::Low, unacknowledged: false }));
        all[29].chosen = true;
        let shown = declutter(all, view(), None);
        let last: Vec<u32> = shown.iter().rev().take(2).map(|label| label.twin.0).collect();
        assert_eq!(last, [29, 28]);
        assert_eq!(shown.last().map(|label| label.lift), Some(0.0), "the chosen one stays at its place");
    }

    #[test]
    fn of_two_equals_the_nearer_stays_and_the_other_moves_up() {
        let shown = declutter(vec![label(1, 300.0, 9.0), label(2, 302.0, 5.0)], view(), None);
        let lifts: Vec<(u32, bool)> = shown.iter().map(|label| (label.twin.0, label.lift > 0.0)).collect();
        assert_eq!(lifts, [(1, true), (2, false)]);
    }

    fn alarmed(twin: u32, at: Vec2) -> ScreenLabel {
        let badge = Some(Badge::Alarm(Urgency { priority: Priority::High, unacknowledged: true }));
        ScreenLabel { at, badge, ..label(twin, at.x, twin as f32) }
    }

    #[test]
    fn alarms_of_neighbours_lie_beside_each_other_wherever_in_the_view_they_are() {
        for corner in [Vec2::new(400.0, 300.0), Vec2::new(3.0, 3.0), Vec2::new(797.0, 20.0), Vec2::new(790.0, 598.0)] {
            let crowd: Vec<ScreenLabel> =
                (0..30).map(|i| alarmed(i, corner + Vec2::new((i % 5) as f32, (i / 5) as f32))).collect();
            let shown = declutter(crowd.clone(), view(), None);
            assert_eq!(shown.len(), 30, "none is hidden");
            for (i, a) in shown.iter().enumerate() {
                assert!(view().contains(rect(a).min) && view().contains(rect(a).max), "{corner}: {a:?}");
                assert!(shown[..i].iter().all(|b| rect(a).intersect(rect(b)).is_empty()), "{corner}: {a:?}");
                let way = rect(a).center().distance(a.at);
                assert!(way < 400.0, "{corner}: {way} from its twin: {a:?}");
            }
        }
    }

    #[test]
    fn nothing_lies_under_what_panels_paint_over_the_view() {
        let caption = Rect::new(0.0, 0.0, 240.0, 27.0);
        let quiet = ScreenLabel { at: Vec2::new(120.0, 40.0), ..label(1, 120.0, 5.0) };
        let crowd = vec![alarmed(2, Vec2::new(60.0, 30.0)), alarmed(3, Vec2::new(200.0, 12.0)), quiet];
        let shown = declutter(crowd, view(), Some(caption));
        assert!(shown.len() >= 2, "alarms stay");
        for label in &shown {
            assert!(rect(label).intersect(caption).is_empty(), "{label:?}");
        }
    }

    #[test]
    fn where_there_is_no_room_at_all_alarms_are_shown_all_the_same() {
        let small = Rect::new(0.0, 0.0, 120.0, 90.0);
        let shown = declutter((0..12).map(|i| alarmed(i, Vec2::new(60.0, 60.0))).collect(), small, None);
        assert_eq!(shown.len(), 12);
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
