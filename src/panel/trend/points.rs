//! From what each pixel column held to the points of a line. In: buckets. Out: stretches of points, and doubtful places.
//! Never joins points between which something came that has no height.

use std::time::Duration;

use crate::history::Bucket;
use crate::value::{Grade, Timestamp};

/// Points of a line through first, min, max and last of each bucket (M4: Jugel et al., "M4: a visualization-oriented
/// time series data aggregation", 2014), broken where nothing came for longer than `expires`, and where what came was not a
/// finite number, however little of it; and doubtful places.
pub fn trace_points(
    buckets: &[Bucket],
    origin: Timestamp,
    expires: Option<Duration>,
) -> (Vec<Vec<[f64; 2]>>, Vec<[f64; 2]>) {
    let mut stretches: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut doubtful = Vec::new();
    let mut last_end: Option<Timestamp> = None;
    let mut gap = false;
    for bucket in buckets.iter().filter(|bucket| bucket.count > 0) {
        if !bucket.min.is_finite() || !bucket.max.is_finite() {
            gap = true;
            continue;
        }
        let silent = last_end.map(|end| bucket.from.secs_since(end));
        let broken = matches!((silent, expires), (Some(silent), Some(limit)) if silent > limit.as_secs_f64());
        if stretches.is_empty() || broken || gap || bucket.gaps.before {
            stretches.push(Vec::new());
        }
        gap = bucket.gaps.behind;
        last_end = Some(bucket.to);
        let (left, right) = (bucket.from.secs_since(origin), bucket.to.secs_since(origin));
        let middle = left + bucket.to.secs_since(bucket.from) / 2.0;
        if bucket.worst > Grade::Good {
            doubtful.push([middle, bucket.last]);
        }
        let Some(stretch) = stretches.last_mut() else { continue };
        let Bucket { first, last, min, max, .. } = *bucket;
        if bucket.gaps.within {
            // Where in the column is not known: what came before ends at its left, what came after begins at its right.
            stretch.push([left, first]);
            let extremes = [min, max].into_iter().filter(|y| *y != first && *y != last);
            stretches.extend(extremes.map(|y| vec![[middle, y]]));
            stretches.push(vec![[right, last]]);
            continue;
        }
        let (near, far) = if first <= last { (min, max) } else { (max, min) };
        for y in [first, near, far, last] {
            if y.is_finite() && stretch.last() != Some(&[middle, y]) {
                stretch.push([middle, y]);
            }
        }
    }
    (stretches, doubtful)
}

/// The same of a signal that has no value between two: each stays until the next one comes.
pub fn stepped(stretches: Vec<Vec<[f64; 2]>>) -> Vec<Vec<[f64; 2]>> {
    let steps = |stretch: Vec<[f64; 2]>| {
        let mut points: Vec<[f64; 2]> = Vec::with_capacity(2 * stretch.len());
        for [x, y] in stretch {
            if let Some([before, stays]) = points.last().copied()
                && before < x
                && stays != y
            {
                points.push([x, stays]);
            }
            points.push([x, y]);
        }
        points
    };
    stretches.into_iter().map(steps).collect()
}
