//! Where an experiment begins, as it is written. In: the name of a recording and a moment. Out: a [`Start`]; or what does not
//! fit. Only reads.

use super::experiment::Start;
use super::format::StartDef;
use super::load::{Resolver, nanos};
use crate::plant::{Plant, Profile, portrait};
use crate::record::format::PLANT;
use crate::record::read::Timeline;
use crate::scene::Spanned;
use crate::scene::report::Hint;

/// The newest keyframe before the moment that holds all.
pub(super) fn resolve(def: &Spanned<StartDef>, profiles: &[Profile], of: &mut Resolver<'_>) -> Option<Start> {
    let given = &def.recording;
    let path = of.folder.join(&given.value);
    let mut wrong = |brief: String, hint: &str| {
        let hint = if hint.is_empty() { Hint::NONE } else { hint.into() };
        of.names.error("bad-start", given.span, "start", brief, hint);
        None
    };
    let timeline = match Timeline::open(std::slice::from_ref(&path)) {
        Ok(timeline) => timeline,
        Err(error) => return wrong(error.to_string(), "`recording` is a path from the folder of this file on"),
    };
    let Some((begin, end)) = timeline.bounds() else {
        return wrong(format!("{} holds nothing", path.display()), "");
    };
    let at = match &def.at {
        Some(at) => {
            let at = begin + std::time::Duration::from_nanos(nanos(&mut of.names, at, "start", "at")?);
            if at > end {
                let brief = format!("{} ends before that", path.display());
                let span = def.at.as_ref().map_or(given.span, |at| at.span);
                of.names.error("bad-start", span, "start", brief, "`at` counts from its beginning".into());
                return None;
            }
            at
        }
        None => end,
    };
    let mut wrong = |brief: String, hint: &str| {
        of.names.error("bad-start", given.span, "start", brief, hint.into());
        None
    };
    let known = match timeline.full_keyframe_at(at) {
        Ok(Some(known)) => known,
        Ok(None) => return wrong(format!("{} has no keyframe before that", path.display()), "choose a later moment"),
        Err(error) => return wrong(error.to_string(), "`pollux repair` writes what is whole of it"),
    };
    let Some(state) = known.producers.get(PLANT) else {
        let hint = "record one with `pollux live SCENE --plant --record FILE`";
        return wrong(format!("{} does not hold the state of a simulated plant", path.display()), hint);
    };
    if state.version != portrait::VERSION {
        let brief = format!("{} holds the plant as another version of Pollux wrote it", path.display());
        return wrong(brief, "record it anew");
    }
    let data = state.data.clone();
    let scene = std::sync::Arc::new(of.names.scene.clone());
    let standing = match Plant::taken_up(scene, &data, None, profiles.to_vec()) {
        Ok((plant, _)) => plant.faults().iter().map(|fault| fault.id.clone()).collect(),
        Err(error) => {
            let brief = format!("{} holds a plant that is not of this scene: {error}", path.display());
            of.names.error("bad-start", given.span, "start", brief, "name the scene that it was recorded with".into());
            return None;
        }
    };
    Some(Start { plant: data.into(), standing, known: known.into(), at })
}
