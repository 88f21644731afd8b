use egui_kittest::kittest::Queryable as _;

use super::axis::mark_text;
use super::points::trace_points;
use super::words::sayings;
use super::*;
use crate::history::{Bucket, Cursor, Gaps, History, Horizon, ViewTime};
use crate::panel::lines::Word;
use crate::panel::testing;
use crate::scene::{Limits, Scene, Signal, SignalSource, Twin};
use crate::stage::Current;
use crate::value::{Grade, Origin, Quality, Sample, SignalIndex, Timestamp, TwinIndex, Unit};

fn bucket(second: i64, low: f64, high: f64) -> Bucket {
    testing::bucket(second, low, high, 1)
}

#[test]
fn a_line_breaks_where_a_signal_fell_silent_for_longer_than_it_may() {
    let buckets = [bucket(0, 1.0, 2.0), testing::bucket(1, 0.0, 0.0, 0), bucket(2, 1.5, 1.5), bucket(30, 3.0, 3.0)];
    let (stretches, doubtful) = trace_points(&buckets, Timestamp(0), Some(Duration::from_secs(5)));
    assert_eq!(stretches, vec![vec![[0.5, 1.0], [0.5, 2.0], [2.5, 1.5]], vec![[30.5, 3.0]]]);
    assert!(doubtful.is_empty());
    let (unbroken, _) = trace_points(&buckets, Timestamp(0), None);
    assert_eq!(unbroken.len(), 1);
}

#[test]
fn a_line_breaks_where_values_were_no_numbers() {
    let nan = Bucket { min: f64::NAN, max: f64::NAN, worst: Grade::Bad, ..bucket(1, 0.0, 0.0) };
    let (stretches, _) = trace_points(&[bucket(0, 1.0, 1.0), nan, nan, bucket(3, 2.0, 2.0)], Timestamp(0), None);
    assert_eq!(stretches, vec![vec![[0.5, 1.0]], vec![[3.5, 2.0]]]);
}

#[test]
fn the_newest_sample_at_the_right_edge_is_in_the_picture() {
    let plant = testing::plant();
    let view = plant.trend(&plant.signals(&["P-101.flow"]));
    let last = view.lanes[0].traces[0].stretches.iter().flatten().map(|point| point[0]).fold(0.0, f64::max);
    let span = view.to.secs_since(view.from);
    assert!(last > span - 2.0 * span / 400.0, "{last} of {span}");
}

#[test]
fn the_largest_numbers_have_an_axis() {
    let trace = |y: f64| Trace {
        signal: SignalIndex(0),
        path: String::new(),
        value: String::new(),
        limits: Limits::default(),
        colour: 0,
        stretches: vec![vec![[0.0, -y], [1.0, y]]],
        doubtful: Vec::new(),
        sayings: Vec::new(),
        is_blank: false,
        layers: Vec::new(),
        shades: Vec::new(),
    };
    for y in [1.0, 1e300, 1.7e308, f64::MAX] {
        let lane = Lane { unit: String::new(), kind: ValueKind::Number, traces: vec![trace(y)] };
        let ((bottom, top), scale) = (lane.extent(), lane.scale());
        assert!((top - bottom).is_finite() && bottom < -y * scale && top > y * scale, "{y}: {bottom} to {top}");
        let marks = value_marks((bottom, top), 5.0);
        assert!(marks.len() >= 3 && marks.iter().any(|mark| (mark.value / scale).is_finite()), "{y}");
    }
}

#[test]
fn extremes_survive_and_doubt_is_marked() {
    let spike = Bucket { first: 2.0, last: 1.0, worst: Grade::Uncertain, ..bucket(0, 0.5, 9.0) };
    let (stretches, doubtful) = trace_points(&[spike], Timestamp(0), None);
    assert_eq!(stretches, vec![vec![[0.5, 2.0], [0.5, 9.0], [0.5, 0.5], [0.5, 1.0]]]);
    assert_eq!(doubtful, vec![[0.5, 1.0]]);
}

#[test]
fn a_far_limit_does_not_flatten_the_line() {
    let lane = |limit: f64| Lane {
        unit: String::new(),
        kind: ValueKind::Number,
        traces: vec![Trace {
            signal: SignalIndex(0),
            path: String::new(),
            value: String::new(),
            limits: Limits { high: Some(limit), ..Default::default() },
            colour: 0,
            stretches: vec![vec![[0.0, 10.0], [1.0, 12.0]]],
            doubtful: Vec::new(),
            sayings: Vec::new(),
            is_blank: false,
            layers: Vec::new(),
            shades: Vec::new(),
        }],
    };
    assert!(lane(14.0).extent().1 > 14.0);
    assert!(lane(500.0).extent().1 < 13.0);
    assert!(lane(22.0).extent().1 > 22.0, "values beyond half of a limit are within its reach");
}

#[test]
fn the_window_ends_now_when_live_and_shows_what_came_after_a_paused_cursor() {
    let at = |s: i64| Timestamp(s * 1_000_000_000);
    let moment = ViewTime { now: at(1_000), shown: at(1_000), session_start: at(0) };
    assert_eq!(window(&moment, Horizon::default(), Duration::from_secs(60)), (at(940), at(1_000)));
    let paused = ViewTime { shown: at(500), ..moment };
    assert_eq!(window(&paused, Horizon::default(), Duration::from_secs(60)), (at(455), at(515)));
}

#[test]
fn where_a_layer_reaches_beyond_now_the_window_does_too() {
    let at = |s: i64| Timestamp(s * 1_000_000_000);
    let horizon = Horizon(Some(at(1_030)));
    let live = ViewTime { now: at(1_000), shown: at(1_000), session_start: at(0) };
    assert_eq!(window(&live, horizon, Duration::from_secs(60)), (at(955), at(1_015)));
    let ahead = ViewTime { shown: at(1_020), ..live };
    assert_eq!(window(&ahead, horizon, Duration::from_secs(60)), (at(970), at(1_030)), "and no farther");
}

#[test]
fn signals_of_one_unit_share_a_lane() {
    let plant = testing::plant();
    let trends = plant.signals(&["P-101.flow", "P-101.vibration", "E-101.outlet_temperature", "P-101.temperature"]);
    let view = plant.trend(&trends);
    let lanes: Vec<_> = view.lanes.iter().map(|lane| lane.traces.len()).collect();
    assert_eq!(lanes, [1, 1, 2]);
    assert!(view.lanes[0].traces[0].stretches[0].len() > 50);
}

#[test]
fn a_legend_entry_takes_its_signal_out() {
    let plant = testing::plant();
    let flow = plant.signals(&["P-101.flow"]);
    let view = plant.trend(&flow);
    let mut harness = testing::harness((TrendState::default(), Vec::new()), move |ui, (state, out)| {
        trend_ui(ui, &view, state, out);
    });
    harness.get_by_label("Remove P-101.flow from the trends").click();
    harness.run();
    assert_eq!(harness.state().1, [OperatorCommand::Attention(AttentionCommand::ToggleTrend(flow[0]))]);
}

#[test]
fn a_short_recording_fills_the_width_until_a_span_is_chosen() {
    assert_eq!(fitting_span(None), Duration::from_secs(300));
    assert_eq!(fitting_span(Some(Duration::from_micros(59))), Duration::from_micros(100));
    assert_eq!(fitting_span(Some(Duration::from_secs(59))), Duration::from_secs(60));
    assert_eq!(fitting_span(Some(Duration::from_secs(86_400))), Duration::from_secs(300));
}

#[test]
fn spans_step_up_and_down_and_stop_at_the_ends() {
    assert_eq!(next_span(Duration::from_secs(60), true), Duration::from_secs(300));
    assert_eq!(next_span(Duration::from_micros(100), false), Duration::from_micros(100));
}

/// One twin `P` with signals of these names and kinds, in the window of a span that ends a second after their last sample.
fn trend(signals: &[(&str, ValueKind)], samples: &[(usize, &str, Value)], span: Duration) -> TrendView {
    let signal = |(at, (name, kind)): (usize, &(&str, ValueKind))| Signal {
        index: SignalIndex(at as u32),
        twin: TwinIndex(0),
        name: (*name).to_owned(),
        label: String::new(),
        kind: *kind,
        unit: Unit::none(),
        source: SignalSource::Unbound,
        expires: None,
        range: None,
        limits: Limits::default(),
    };
    let twin = Twin {
        index: TwinIndex(0),
        id: "P".into(),
        name: String::new(),
        type_name: "Pump".into(),
        area: String::new(),
        at: [0.0; 3],
        facing_deg: 0.0,
        scale: 1.0,
        signals: 0..signals.len() as u32,
        look: None,
    };
    let scene =
        Scene { twins: vec![twin], signals: signals.iter().enumerate().map(signal).collect(), ..Default::default() };
    let mut history = History::new(1 << 24);
    history.resize(signals.len());
    for (signal, at, value) in samples {
        let at = Timestamp::parse_rfc3339(at).unwrap();
        let quality = match value {
            Value::Number(x) if !x.is_finite() => Quality::bad(crate::value::Reason::NotFinite),
            _ => Quality::GOOD,
        };
        let (signal, value) = (SignalIndex(*signal as u32), value.clone());
        let (source_time, receive_time, origin) = (at, at, Origin::Measured);
        history.append(&Sample { signal, source_time, receive_time, value, quality, origin });
    }
    let end = history.bounds().unwrap().1;
    let trends: Vec<SignalIndex> = scene.signals.iter().map(|signal| signal.index).collect();
    let current = |index| {
        let value = history.newest(index).map(|point| point.value);
        Current { value, source_time: end, receive_time: end, ..Current::default() }
    };
    let input = TrendInput {
        scene: &scene,
        currents: &current,
        history: &history,
        trends: &trends,
        cursor: Cursor::Paused(end),
        moment: ViewTime { now: end, shown: end, session_start: end },
        horizon: Horizon::default(),
        recorded: true,
        layers: None,
        broken: &[],
    };
    trend_view(&input, &TrendState { span: Some(span), ..TrendState::default() })
}

/// `count` samples of signal 0, a second apart from noon on.
fn each_second(count: u32, value: impl Fn(u32) -> f64) -> Vec<(usize, String, Value)> {
    let sample = |second: u32| {
        let at = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").unwrap() + Duration::from_secs(second.into());
        (0, at.to_string(), Value::Number(value(second)))
    };
    (0..count).map(sample).collect()
}

fn trend_of(samples: &[(usize, String, Value)]) -> TrendView {
    let samples: Vec<_> = samples.iter().map(|(signal, at, value)| (*signal, at.as_str(), value.clone())).collect();
    trend(&[("c", ValueKind::Number)], &samples, Duration::from_secs(300))
}

/// What stands at the axis of a lane.
fn labels(lane: &Lane) -> Vec<String> {
    let marks = value_marks(lane.extent(), 5.0);
    marks.iter().map(|mark| mark_text(mark.value / lane.scale(), mark.step_size / lane.scale())).collect()
}

fn are_distinct(labels: &[String]) -> bool {
    labels.len() >= 2 && labels.iter().collect::<std::collections::BTreeSet<_>>().len() == labels.len()
}

/// Of plt01_constant.
#[test]
fn a_constant_has_a_flat_line_amid_different_labels() {
    for value in [5.0, 0.0, 1_000_000_000.1] {
        let view = trend_of(&each_second(60, |_| value));
        let lane = &view.lanes[0];
        assert_eq!(lane.traces[0].stretches.len(), 1);
        assert!(lane.heights().all(|y| y == value));
        let (bottom, top) = lane.extent();
        assert!(bottom < value && value < top, "{value}: {bottom} to {top}");
        assert!(are_distinct(&labels(lane)), "{value}: {:?}", labels(lane));
    }
}

/// Of plt02_one_point.
#[test]
fn a_single_sample_is_a_point() {
    let view = trend_of(&each_second(1, |_| 5.0));
    let stretches = &view.lanes[0].traces[0].stretches;
    assert!(matches!(&stretches[..], [only] if matches!(only[..], [[x, 5.0]] if x > 299.0)), "{stretches:?}");
    assert!(are_distinct(&labels(&view.lanes[0])));
}

/// Of plt03_huge_range.
#[test]
fn a_range_of_many_sizes_has_labels_that_can_be_told_apart() {
    let growing = trend_of(&each_second(60, |second| 10f64.powf(f64::from(second) * 24.0 / 59.0 - 12.0)));
    let extreme = trend_of(&each_second(60, |second| if second % 2 == 0 { -1.7e308 } else { 1.7e308 }));
    let tiny = trend_of(&each_second(60, |second| f64::from(second) * 1e-12));
    for view in [growing, extreme, tiny] {
        let labels = labels(&view.lanes[0]);
        assert!(are_distinct(&labels) && labels.iter().all(|label| label.len() < 12), "{labels:?}");
    }
}

/// Of plt04_nan_gaps.
#[test]
fn what_was_no_number_leaves_a_gap_and_its_neighbours_stay() {
    let view =
        trend_of(&each_second(60, |second| if (21..30).contains(&second) { f64::NAN } else { f64::from(second % 7) }));
    let [before, after] = &view.lanes[0].traces[0].stretches[..] else { panic!("two stretches") };
    let from = |secs: f64| view.to.secs_since(view.from) - 59.0 + secs;
    let is_near = |point: &[f64; 2], secs: f64, y: f64| (point[0] - from(secs)).abs() < 1.0 && point[1] == y;
    assert!(is_near(before.last().unwrap(), 20.0, 6.0) && is_near(&after[0], 30.0, 2.0), "{before:?}, {after:?}");
}

#[test]
fn a_gap_narrower_than_a_pixel_column_breaks_the_line() {
    // Ten samples in each of the columns; one of them is no number, first, last or in the middle of its column.
    let start = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").unwrap();
    for lost in 1_000..1_030 {
        let samples: Vec<_> = (0..4_000_u32)
            .map(|at| {
                let value = if at == lost { f64::NAN } else { 7.0 };
                (0, (start + Duration::from_millis(75) * at).to_string(), Value::Number(value))
            })
            .collect();
        let view = trend_of(&samples);
        let [before, after] = &view.lanes[0].traces[0].stretches[..] else { panic!("{lost}: two stretches") };
        assert!(before.last().unwrap()[0] < after[0][0], "{lost}");
    }
}

#[test]
fn extremes_beside_a_gap_of_their_column_are_points() {
    let gaps = Gaps { within: true, ..Gaps::NONE };
    let buckets =
        [bucket(0, 1.0, 1.0), Bucket { first: 2.0, last: 3.0, gaps, ..bucket(1, 0.5, 9.0) }, bucket(2, 1.0, 1.0)];
    let (stretches, _) = trace_points(&buckets, Timestamp(0), None);
    let expected = vec![vec![[0.5, 1.0], [1.0, 2.0]], vec![[1.5, 0.5]], vec![[1.5, 9.0]], vec![[2.0, 3.0], [2.5, 1.0]]];
    assert_eq!(stretches, expected);
}

/// Of plt05_all_nan.
#[test]
fn a_lane_of_what_is_no_number_says_so_and_has_no_marks() {
    let view = trend_of(&each_second(60, |_| f64::NAN));
    let trace = &view.lanes[0].traces[0];
    assert!(trace.stretches.is_empty() && trace.is_blank);
    let mut harness = testing::harness((TrendState::default(), Vec::new()), move |ui, (state, out)| {
        trend_ui(ui, &view, state, out);
    });
    harness.run();
    harness.get_by_label("P.c: no value here is a number");
}

/// Of plt06_bool_enum.
#[test]
fn what_is_on_or_off_has_steps_with_words_in_a_lane_of_its_own() {
    let noon = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").unwrap();
    let at = |second: u64| (noon + Duration::from_secs(second)).to_string();
    let times: Vec<String> = (0..60).map(at).collect();
    let switch = times.iter().enumerate().map(|(second, at)| (0, at.as_str(), Value::Bool(second / 10 % 2 == 1)));
    let number = times.iter().map(|at| (1, at.as_str(), Value::Number(500.0)));
    let samples: Vec<_> = switch.chain(number).collect();
    let view = trend(&[("b", ValueKind::Bool), ("n", ValueKind::Number)], &samples, Duration::from_secs(300));
    let [switch, _] = &view.lanes[..] else { panic!("two lanes") };
    assert!(switch.kind == ValueKind::Bool && switch.extent() == (-0.1, 1.1));
    let points = &switch.traces[0].stretches[0];
    let is_step = |pair: &[[f64; 2]]| pair[0][0] == pair[1][0] || pair[0][1] == pair[1][1];
    assert!(points.windows(2).all(is_step), "{points:?}");
    let rises = points.windows(2).filter(|pair| pair[0][1] < pair[1][1]).count();
    assert_eq!(rises, 3);
}

/// Of plt06_bool_enum.
#[test]
fn what_says_words_has_a_stretch_for_each_with_its_words() {
    let noon = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").unwrap();
    let said = |second: u64| ["AUTO", "MANUAL", "FAULT", "AUTO"][second as usize / 15];
    let times: Vec<String> = (0..60).map(|second| (noon + Duration::from_secs(second)).to_string()).collect();
    let samples: Vec<_> =
        times.iter().zip(0..).map(|(at, second)| (0, at.as_str(), Value::Text(said(second).into()))).collect();
    let view = trend(&[("t", ValueKind::Text)], &samples, Duration::from_secs(300));
    let trace = &view.lanes[0].traces[0];
    let texts: Vec<&str> = trace.sayings.iter().map(|saying| &*saying.text).collect();
    assert_eq!(texts, ["AUTO", "MANUAL", "FAULT", "AUTO"]);
    for pair in trace.sayings.windows(2) {
        assert_eq!(pair[0].to, pair[1].from, "each stays until the next one comes");
        assert!((pair[1].from - pair[0].from - 15.0).abs() < 1.0);
    }
    assert!(!trace.is_blank);
    let mut harness = testing::harness((TrendState::default(), Vec::new()), move |ui, (state, out)| {
        trend_ui(ui, &view, state, out);
    });
    harness.run();
    harness.get_by_label("P.t says AUTO, MANUAL, FAULT, AUTO");
}

#[test]
fn nothing_is_said_where_a_signal_fell_silent_or_had_no_text() {
    let word = |second: i64, text: Option<&str>| {
        let (from, to) = (testing::second(second), testing::second(second + 1));
        Word { from, to, text: text.map(Into::into) }
    };
    let words = [word(0, Some("a")), word(3, Some("a")), word(4, None), word(6, Some("a")), word(60, Some("a"))];
    let found = sayings(&words, testing::second(0), Some(Duration::from_secs(5)));
    let spans: Vec<_> = found.iter().map(|saying| (saying.from, saying.to)).collect();
    assert_eq!(spans, [(0.0, 4.0), (6.0, 7.0), (60.0, 61.0)]);
}

/// Of plt07_long_legend.
#[test]
fn a_long_legend_leaves_room_for_the_lines() {
    let names: Vec<String> = (0..14).map(|at| format!("signal with a very long name indeed number {at}")).collect();
    let signals: Vec<(&str, ValueKind)> = names.iter().map(|name| (name.as_str(), ValueKind::Number)).collect();
    let samples: Vec<_> =
        (0..14).map(|signal| (signal, "2026-01-31T12:00:00Z", Value::Number(signal as f64))).collect();
    let view = trend(&signals, &samples, Duration::from_secs(300));
    let mut harness = testing::harness((TrendState::default(), Vec::new()), move |ui, (state, out)| {
        trend_ui(ui, &view, state, out);
    });
    harness.run();
    let chip = harness.get_by_label("Remove P.signal with a very long name indeed number 0 from the trends").rect();
    assert!(chip.height() < 30.0 && chip.bottom() < 60.0, "one row of names: {chip:?}");
    assert!(harness.state().0.columns > 600, "the lines have the width of the panel");
}

/// Of plt08_close_values.
#[test]
fn values_that_hardly_differ_have_steps_and_labels_that_differ() {
    let close = trend_of(&each_second(60, |second| 50_000_000.0 + f64::from(second) * 0.001));
    let closer = trend_of(&each_second(60, |second| 1.0 + f64::from(second % 2) * 1e-14));
    for view in [close, closer] {
        let lane = &view.lanes[0];
        let ((bottom, top), labels) = (lane.extent(), labels(lane));
        let heights = || lane.heights().fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
        assert!((heights().1 - heights().0) / (top - bottom) > 0.5, "{bottom} to {top}");
        assert!(are_distinct(&labels), "{labels:?}");
    }
    assert_eq!(mark_text(50_000_000.02, 0.02), "50\u{2009}000\u{2009}000.02");
    assert_eq!(mark_text(50_000_000.0, 5_000_000.0), "5.000e7");
    assert_eq!(mark_text(-0.1 - 0.2 + 0.3, 0.5), "0");
    // An error of rounding is none that is to be seen.
    let rounded = trend_of(&each_second(60, |second| if second == 30 { 0.1 + 0.2 } else { 0.3 }));
    let (bottom, top) = rounded.lanes[0].extent();
    assert!((0.1_f64 + 0.2 - 0.3) / (top - bottom) < 0.1);
}

/// Of plt09_56_years.
#[test]
fn a_sample_of_1970_does_not_press_what_came_56_years_later_together() {
    let mut samples = each_second(60, f64::from);
    samples.insert(0, (0, "1970-01-01T00:00:00Z".to_owned(), Value::Number(1.0)));
    let view = trend_of(&samples);
    assert!(view.to.secs_since(view.from) < 301.0);
    let points = &view.lanes[0].traces[0].stretches[0];
    assert!(points.len() > 50 && points[0][1] == 0.0, "{points:?}");
    let shown =
        |text: &str| axis::clock_text(Timestamp::parse_rfc3339(text).unwrap(), 56.0 * 366.0 * 86_400.0, 86_400.0);
    assert_eq!(
        (shown("1970-01-01T00:00:00Z"), shown("2026-01-31T12:00:30Z")),
        ("1970-01-01".into(), "2026-01-31".into())
    );
}
