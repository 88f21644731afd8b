use proptest::prelude::*;

use super::*;
use crate::fault::testing::{at, courses, fault, thrown};
use crate::fault::{Course, Defect, Recurrence};

/// Nothing is held back for longer in these tests.
const END: Timestamp = Timestamp(1_000_000_000_000);

fn message(topic: &str, secs: f64, payload: impl Into<String>) -> Message {
    let payload = Bytes::from(payload.into());
    Message {
        time: at(secs),
        broker: "plant".into(),
        topic: topic.into(),
        payload,
        retain: false,
        from_store: false,
        qos: 1,
    }
}

fn on(filter: &str, effect: LinkEffect) -> Defect {
    Defect::Link { broker: None, topics: vec![filter.to_owned()], effect }
}

fn set(defects: &[(Defect, Course)]) -> LinkFaults {
    let list: Vec<Fault> = (0..)
        .zip(defects)
        .map(|(number, (defect, course))| fault(&format!("F-{number}"), defect.clone(), *course))
        .collect();
    let mut faults = LinkFaults::new(7);
    faults.set(&list, Timestamp(0), &mut Vec::new());
    faults
}

fn run(faults: &mut LinkFaults, messages: &[Message]) -> Vec<Message> {
    let mut out = Vec::new();
    messages.iter().for_each(|message| faults.send(message.clone(), &mut out));
    faults.release(END, &mut out);
    out
}

/// When each arrives, and what it says.
fn told(messages: &[Message]) -> Vec<(f64, String)> {
    let text = |message: &Message| String::from_utf8_lossy(&message.payload).into_owned();
    messages.iter().map(|message| (message.time.as_secs_f64(), text(message))).collect()
}

/// One a second on one topic, each with its second as payload.
fn beats(count: u32) -> Vec<Message> {
    (0..count).map(|secs| message("hall/P-1/flow", f64::from(secs), secs.to_string())).collect()
}

/// From 2 s on, for 3 s.
const COURSE: Course = Course { onset: 2_000_000_000, ramp: 0, duration: Some(3_000_000_000), recurrence: None };

/// What arrives of seven beats.
fn arrives(effect: LinkEffect, course: Course) -> Vec<(f64, String)> {
    told(&run(&mut set(&[(on("hall/#", effect), course)]), &beats(7)))
}

fn wanted<const N: usize>(list: [(f64, &str); N]) -> Vec<(f64, String)> {
    list.map(|(secs, text)| (secs, text.to_owned())).to_vec()
}

#[test]
fn nothing_passes_a_link_that_is_down_and_nothing_is_sent_again() {
    let left = arrives(LinkEffect::Disconnect {}, COURSE);
    assert_eq!(left, wanted([(0.0, "0"), (1.0, "1"), (5.0, "5"), (6.0, "6")]));
}

#[test]
fn what_would_arrive_while_a_link_is_down_is_lost_wherever_the_fault_stands() {
    let late = (on("#", LinkEffect::Latency { by: 1.5 }), Course::default());
    let down = (on("#", LinkEffect::Disconnect {}), COURSE);
    for list in [[late.clone(), down.clone()], [down, late]] {
        let mut faults = set(&list);
        let left = told(&run(&mut faults, &beats(7)));
        assert_eq!(left, wanted([(1.5, "0"), (6.5, "5"), (7.5, "6")]));
        assert!(faults.acted().all(|(_, count)| count == 4), "no loss is silent");
    }
}

#[test]
fn latency_delays_all_alike_and_ends_at_once() {
    let left = arrives(LinkEffect::Latency { by: 1.5 }, COURSE);
    let all = [(0.0, "0"), (1.0, "1"), (3.5, "2"), (4.5, "3"), (5.0, "4"), (5.0, "5"), (6.0, "6")];
    assert_eq!(left, wanted(all));
}

#[test]
fn jitter_delays_by_anything_up_to_its_most_and_may_reorder() {
    let jitter = |keeps_order| {
        let effect = LinkEffect::Jitter { most: 4.0, keeps_order };
        told(&run(&mut set(&[(on("#", effect), Course::default())]), &beats(1000)))
    };
    let (free, kept) = (jitter(false), jitter(true));
    assert!(free.iter().chain(&kept).all(|(secs, text)| {
        let sent: f64 = text.parse().expect("a second");
        (sent..sent + 4.0).contains(secs)
    }));
    let late: f64 = free.iter().map(|(secs, text)| secs - text.parse::<f64>().expect("a second")).sum::<f64>() / 1000.0;
    assert!((late - 2.0).abs() < 0.12, "2 s in the mean: {late}");
    let order = |list: &[(f64, String)]| list.is_sorted_by_key(|(_, text)| text.parse::<u32>().expect("a second"));
    assert!(!order(&free) && order(&kept));
    assert_eq!((free.len(), kept.len()), (1000, 1000));
}

#[test]
fn losses_and_doubles_have_their_shares() {
    let count = |effect| run(&mut set(&[(on("#", effect), Course::default())]), &beats(10_000)).len();
    let (left, doubled) = (count(LinkEffect::Loss { share: 0.3 }), count(LinkEffect::Duplicate { share: 0.2 }));
    assert!(left.abs_diff(7000) < 200 && doubled.abs_diff(12_000) < 200, "{left} {doubled}");
    assert_eq!(arrives(LinkEffect::Loss { share: 1.0 }, COURSE).len(), 4);
    let twice = arrives(LinkEffect::Duplicate { share: 1.0 }, Course { duration: Some(1), ..COURSE });
    assert_eq!(twice[1..4], wanted([(1.0, "1"), (2.0, "2"), (2.0, "2")]));
}

#[test]
fn a_message_is_held_back_behind_the_next_one_of_its_topic() {
    let course = Course { duration: None, ..COURSE };
    let effect = LinkEffect::Reorder { share: 1.0, wait: 10.0 };
    let mut faults = set(&[(on("hall/#", effect), course)]);
    let mut messages = beats(5);
    messages.insert(3, message("hall/P-2/flow", 2.5, "other"));
    let left = told(&run(&mut faults, &messages));
    let all = [(0.0, "0"), (1.0, "1"), (3.0, "3"), (3.0, "2"), (12.5, "other"), (14.0, "4")];
    assert_eq!(left, wanted(all), "where no other comes, it waits so long");
}

#[test]
fn a_corrupt_payload_has_other_bytes_and_the_same_length() {
    let text = "x".repeat(200);
    let mut faults = set(&[(on("#", LinkEffect::Corrupt { share: 0.5, part: 0.1 }), Course::default())]);
    let messages: Vec<_> = (0..2000).map(|secs| message("t", f64::from(secs), text.clone())).collect();
    let left = run(&mut faults, &messages);
    let wrong = |message: &Message| message.payload.iter().filter(|byte| **byte != b'x').count();
    let hit: Vec<_> = left.iter().map(wrong).filter(|count| *count > 0).collect();
    assert!(hit.len().abs_diff(1000) < 100, "{}", hit.len());
    assert!(hit.iter().all(|count| (10..=20).contains(count)), "a tenth of the bytes, some twice: {hit:?}");
    assert!(left.iter().all(|message| message.payload.len() == 200));
    let one = run(&mut set(&[(on("#", LinkEffect::Corrupt { share: 1.0, part: 0.0 }), COURSE)]), &beats(5));
    assert!(
        one[2..].iter().zip(2..).all(|(message, n): (&Message, u32)| message.payload != n.to_string()),
        "one byte at least"
    );
}

#[test]
fn a_cut_payload_is_a_beginning_of_it_and_never_empty() {
    let mut faults = set(&[(on("#", LinkEffect::Cut { share: 1.0 }), Course::default())]);
    let messages: Vec<_> = (0..500).map(|secs| message("t", f64::from(secs), "abcd")).collect();
    let lengths = run(&mut faults, &messages).iter().fold([0; 5], |mut lengths, message| {
        assert!(b"abcd".starts_with(&message.payload));
        lengths[message.payload.len()] += 1;
        lengths
    });
    assert!(lengths[0] == 0 && lengths[4] == 0 && lengths[1..4].iter().all(|count| *count > 120), "{lengths:?}");
    assert_eq!(run(&mut faults, &[message("t", 600.0, "a")])[0].payload, "a");
}

#[test]
fn wrong_clocks_add_up_and_leave_messages_alone() {
    let ramp = Course { ramp: 2_000_000_000, ..COURSE };
    let mut faults = set(&[
        (on("hall/+/flow", LinkEffect::ClockSkew { by: -60.0 }), ramp),
        (on("hall/#", LinkEffect::ClockSkew { by: 10.0 }), COURSE),
    ]);
    let shift = |topic, secs| faults.clock_shift("plant", topic, at(secs)).secs();
    assert_eq!([1.0, 2.0, 3.0, 4.0, 5.0].map(|secs| shift("hall/P-1/flow", secs)), [0.0, 10.0, -20.0, -50.0, 0.0]);
    assert_eq!((shift("hall/P-1/level", 3.0), shift("ward/flow", 3.0)), (10.0, 0.0));
    assert_eq!(run(&mut faults, &beats(7)), beats(7));
}

#[test]
fn the_last_message_of_each_topic_comes_again_as_retained() {
    let again = Course {
        duration: Some(500_000_000),
        recurrence: Some(Recurrence { every: 2_000_000_000, times: Some(2) }),
        ..COURSE
    };
    let mut faults = set(&[(on("hall/+/flow", LinkEffect::StaleRetained {}), again)]);
    let mut messages = beats(5);
    messages.insert(2, message("hall/P-0/flow", 1.5, "other"));
    messages.insert(2, message("hall/P-0/level", 1.5, "another"));
    messages.insert(2, message("hall/P-3/flow", 1.5, ""));
    let left = run(&mut faults, &messages);
    let old: Vec<_> = left.iter().filter(|message| message.from_store).cloned().collect();
    assert_eq!(told(&old), wanted([(2.0, "other"), (2.0, "1"), (4.0, "other"), (4.0, "3")]));
    let rest: Vec<_> = left.into_iter().filter(|message| !message.from_store).collect();
    assert_eq!(rest, messages, "all else passes as it is");
}

#[test]
fn a_fault_acts_on_the_topics_of_its_broker_alone() {
    let only = Defect::Link {
        broker: Some("ward".into()),
        topics: vec!["a/#".into(), "b".into()],
        effect: LinkEffect::Disconnect {},
    };
    let mut faults = set(&[(only, Course::default())]);
    let ward = |topic| Message { broker: "ward".into(), ..message(topic, 1.0, "x") };
    for (message, passes) in
        [(ward("a/x"), false), (ward("b"), false), (ward("b/x"), true), (message("a/x", 1.0, "x"), true)]
    {
        assert_eq!(run(&mut faults, std::slice::from_ref(&message)).len() == 1, passes, "{message:?}");
    }
}

#[test]
fn faults_act_in_their_order() {
    let now = Course::default();
    let (twice, loss) = (LinkEffect::Duplicate { share: 1.0 }, LinkEffect::Loss { share: 0.5 });
    let left = |list: [LinkEffect; 2]| run(&mut set(&list.map(|effect| (on("#", effect), now))), &beats(2000));
    let (after, before) = (left([twice, loss]), left([loss, twice]));
    let odd = |list: &[Message]| list.chunk_by(|a, b| a.time == b.time).filter(|chunk| chunk.len() == 1).count();
    assert!(odd(&after) > 500, "one of two is lost");
    assert_eq!(odd(&before), 0, "both or none");
}

#[test]
fn what_is_cleared_comes_at_once_and_in_order() {
    let mut faults = set(&[(on("#", LinkEffect::Latency { by: 100.0 }), Course::default())]);
    let mut out = Vec::new();
    beats(4).into_iter().for_each(|message| faults.send(message, &mut out));
    assert!(out.is_empty());
    faults.set(&[], at(3.5), &mut out);
    assert_eq!(told(&out), wanted([(3.5, "0"), (3.5, "1"), (3.5, "2"), (3.5, "3")]));
}

fn lists() -> impl Strategy<Value = Vec<Fault>> {
    let kind = prop::sample::select(LinkEffect::KINDS);
    let filter = prop::sample::select(&["#", "a/+", "a/x", "b"][..]);
    let one = (kind, filter, prop::collection::vec(0.0..1.0, 2), courses());
    prop::collection::vec(one, 0..6).prop_map(|list| {
        let each = (0..).zip(list).map(|(number, (kind, filter, throws, course))| {
            let effect = LinkEffect::of(kind.name, &thrown(kind.parameters, &throws)).expect("all parameters");
            fault(&format!("F-{number}"), on(filter, effect), course)
        });
        each.collect()
    })
}

/// Messages in the order of their times, some of them at the same one.
fn streams() -> impl Strategy<Value = Vec<Message>> {
    let topic = prop::sample::select(&["a/x", "a/y", "b", "c"][..]);
    prop::collection::vec((topic, 0..4_000_000_000_i64, "[a-z]{0,6}"), 1..60).prop_map(|steps| {
        let mut time = 0;
        let each = steps.into_iter().map(|(topic, step, payload)| {
            time += if step < 1_000_000_000 { 0 } else { step };
            message(topic, time as f64 / 1e9, payload)
        });
        each.collect()
    })
}

fn begun(faults: &[Fault]) -> LinkFaults {
    let mut begun = LinkFaults::new(11);
    begun.set(faults, Timestamp(-1), &mut Vec::new());
    begun
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_faults_do_the_same_however_the_messages_are_cut(
        list in lists(), messages in streams(), looks in prop::collection::vec(0..200_000_000_000_i64, 0..20),
    ) {
        let whole = run(&mut begun(&list), &messages);
        let (mut faults, mut out) = (begun(&list), Vec::new());
        let mut looks: Vec<i64> = looks;
        looks.sort_unstable();
        let mut looks = looks.into_iter().map(Timestamp).peekable();
        for message in &messages {
            while let Some(look) = looks.next_if(|look| *look <= message.time) {
                faults.release(look, &mut out);
                prop_assert!(faults.next_release().is_none_or(|next| next > look));
            }
            faults.send(message.clone(), &mut out);
        }
        looks.for_each(|look| faults.release(look, &mut out));
        faults.release(END, &mut out);
        prop_assert_eq!(&out, &whole);
        prop_assert!(out.is_sorted_by_key(|message| message.time));
    }

    #[test]
    fn whatever_a_fault_is_told_nothing_but_what_was_sent_arrives(
        kind in prop::sample::select(LinkEffect::KINDS), values in prop::collection::vec(any::<f64>(), 2),
        course in courses(), messages in streams(),
    ) {
        let effect = LinkEffect::of(kind.name, &values).expect("all parameters");
        let mut faults = begun(&[fault("F", on("#", effect), course)]);
        let out = run(&mut faults, &messages);
        prop_assert!(out.iter().all(|message| messages.iter().any(|sent| sent.topic == message.topic)));
        let _ = faults.clock_shift("plant", "b", Timestamp(course.onset));
    }

    #[test]
    fn any_faults_go_on_with_the_same_bits_after_being_stored(list in lists(), messages in streams(), cut in 0..60_usize) {
        let cut = cut.min(messages.len());
        let (mut faults, mut out) = (begun(&list), Vec::new());
        messages[..cut].iter().for_each(|message| faults.send(message.clone(), &mut out));
        let mut other = begun(&list);
        other.restore(&faults.to_bytes()).expect("the same list");
        prop_assert!(faults == other);
        prop_assert_eq!(run(&mut faults, &messages[cut..]), run(&mut other, &messages[cut..]));
    }

    #[test]
    fn after_clearing_the_truth_comes(list in lists(), messages in streams(), cut in 0..60_usize) {
        let cut = cut.min(messages.len());
        let (mut faults, mut out) = (begun(&list), Vec::new());
        messages[..cut].iter().for_each(|message| faults.send(message.clone(), &mut out));
        let at = messages.get(cut.saturating_sub(1)).map_or(Timestamp(0), |message| message.time);
        faults.set(&[], at, &mut out);
        prop_assert_eq!(faults.next_release(), None);
        let counts = ["disconnect", "loss", "duplicate", "stale_retained"];
        let keeps_count = !list.iter().any(|fault| counts.contains(&fault.kind().name));
        prop_assert!(!keeps_count || out.len() == cut, "nothing is held back any more: {} of {cut}", out.len());
        prop_assert_eq!(run(&mut faults, &messages[cut..]), &messages[cut..]);
    }

    #[test]
    fn it_does_not_matter_when_a_fault_becomes_known(list in lists(), messages in streams()) {
        let known = run(&mut begun(&list), &messages);
        let onset = list.iter().map(|fault| fault.course.onset).min().unwrap_or(0);
        let (mut faults, mut out) = (LinkFaults::new(11), Vec::new());
        let before = messages.partition_point(|message| message.time < Timestamp(onset));
        messages[..before].iter().for_each(|message| faults.send(message.clone(), &mut out));
        faults.set(&list, Timestamp(onset), &mut out);
        out.extend(run(&mut faults, &messages[before..]));
        prop_assert_eq!(out, known);
    }
}
