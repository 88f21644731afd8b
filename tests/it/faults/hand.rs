//! A fault that somebody sets by hand does what one does that was known from the beginning.

use pollux::fault::{Course, LinkEffect};
use proptest::prelude::*;

use super::throws::{carry, difference, faults, throws};
use super::{on_topics, plant};
use crate::simulated::SECOND;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn by_hand_is_the_same_as_known_beforehand(
        list in prop::collection::vec(throws(), 1..4), onset in 1..80_u64, lasts in 1..60_u64,
    ) {
        let (onset, end) = (onset * SECOND / 10, (onset + lasts) * SECOND / 10);
        let (scene, mut known) = plant();
        let mut hand = known.clone();
        let told = |duration| list.iter().map(|throw| throw.from(onset, duration)).collect::<Vec<_>>();
        known.set_faults(faults(&told(Some(end - onset)), &scene, &known));
        let before = carry(&mut known, 16 * SECOND, false);
        let mut said = carry(&mut hand, onset, true);
        hand.set_faults(faults(&told(None), &scene, &hand));
        said.extend(carry(&mut hand, end, true));
        let counts: Vec<u64> = hand.acted().map(|(_, acted)| acted).collect();
        hand.set_faults(Vec::new());
        said.extend(carry(&mut hand, 16 * SECOND, false));
        prop_assert_eq!(difference(&before, &said), None);
        prop_assert_eq!(known.acted().map(|(_, acted)| acted).collect::<Vec<_>>(), counts);
    }
}

#[test]
fn what_was_due_has_gone_behind_a_run_and_is_to_come_behind_a_run_before() {
    let cut = |plant: &mut pollux::plant::Plant| {
        let down = on_topics("well/P-1/flow", LinkEffect::Disconnect {});
        plant.set_faults(vec![pollux::fault::Fault { course: Course { onset: 0, ..down.course }, ..down }]);
    };
    let flows = |said: Vec<super::throws::Said>| said.iter().filter(|one| one.1 == "well/P-1/flow").count();
    let (_, mut behind) = plant();
    let mut before = behind.clone();
    let count = flows(carry(&mut behind, 5 * SECOND, false));
    cut(&mut behind);
    let less = flows(carry(&mut before, 5 * SECOND, true));
    cut(&mut before);
    assert_eq!((count, less), (26, 25), "five a second, and one at the start");
    assert_eq!(flows(carry(&mut behind, 6 * SECOND, false)), 0);
    assert_eq!(flows(carry(&mut before, 6 * SECOND, false)), 0);
}
