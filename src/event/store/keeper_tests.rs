use super::*;
use crate::event::store::frame::read;
use crate::event::{Event, Kind};
use crate::value::Timestamp;
use std::sync::{Arc, Mutex};

/// A disk in memory with room for so many bytes.
#[derive(Clone)]
struct Fake(Arc<Mutex<FakeState>>, usize);

#[derive(Default)]
struct FakeState {
    content: Vec<u8>,
    /// Length of the content that a power cut would leave.
    durable: usize,
    room: usize,
    replaced: u32,
    synced: u32,
}

impl Fake {
    /// Read with this capacity.
    fn with_room(room: usize, capacity: usize) -> Self {
        let fake = Self(Arc::default(), capacity);
        fake.0.lock().unwrap().room = room;
        fake
    }

    fn image(&self) -> Image {
        read(&self.0.lock().unwrap().content, self.1).image
    }
}

impl Disk for Fake {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fits = state.room.saturating_sub(state.content.len()).min(bytes.len());
        state.content.extend(&bytes[..fits]);
        if fits < bytes.len() { Err(io::Error::other("disk full")) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.durable = state.content.len();
        state.synced += 1;
        Ok(())
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        // The old content is there until the new one is.
        if state.content.len() + bytes.len() > state.room {
            return Err(io::Error::other("disk full"));
        }
        state.content = bytes.to_vec();
        state.durable = bytes.len();
        state.replaced += 1;
        Ok(())
    }
}

fn event(id: u64, text: &str) -> Arc<Event> {
    let kind = Kind::Note { text: text.to_owned() };
    Arc::new(Event {
        id,
        time: Timestamp(0),
        received: Timestamp(0),
        twin: None,
        by: None,
        comment: String::new(),
        kind,
    })
}

fn batch(id: u64) -> Batch {
    let alarms = [("P-101/high".to_owned(), serde_json::json!({ "activations": id }))];
    Batch { events: vec![event(id, "x")], alarms: alarms.into(), alive: Some(Timestamp(id as i64)), ..Batch::default() }
}

fn alive(at: i64) -> Batch {
    Batch { alive: Some(Timestamp(at)), ..Batch::default() }
}

#[test]
fn events_are_durable_at_once_and_signs_of_life_every_ten_seconds() {
    let disk = Fake::with_room(1 << 20, 100);
    let mut keeper = Keeper::new(disk.clone(), Image::default(), 100);
    let start = Instant::now();
    let after = |secs| start + Duration::from_secs(secs);
    keeper.keep(Batch::default(), true, start).unwrap();
    for secs in 1..=30 {
        keeper.keep(alive(secs), false, after(secs as u64)).unwrap();
    }
    assert_eq!(disk.0.lock().unwrap().synced, 3);
    assert_eq!(disk.image().alive, Some(Timestamp(30)));
    keeper.keep(batch(1), false, after(31)).unwrap();
    let state = disk.0.lock().unwrap();
    assert_eq!((state.durable, state.content.len()), (state.content.len(), keeper.bytes() as usize));
}

#[test]
fn a_full_disk_gives_an_error_and_the_newest_state_is_written_whole_when_there_is_room_again() {
    let disk = Fake::with_room(1_000, 5);
    let mut keeper = Keeper::new(disk.clone(), Image::default(), 5);
    let now = Instant::now();
    keeper.keep(Batch::default(), true, now).unwrap();
    let failed: Vec<u64> = (1..50).filter(|id| keeper.keep(batch(*id), false, now).is_err()).collect();
    let first = *failed.first().expect("the disk became full");
    assert_eq!(failed, (first..50).collect::<Vec<_>>());
    let kept = disk.image();
    assert_eq!(kept.last_id, first - 1, "what was acknowledged is there, half a line is not");
    disk.0.lock().unwrap().room = 1 << 20;
    keeper.keep(alive(60), false, now).unwrap();
    let image = disk.image();
    assert_eq!(&image, keeper.image());
    assert_eq!(image.events.iter().map(|event| event.id).collect::<Vec<_>>(), [45, 46, 47, 48, 49]);
    assert_eq!(image.alarms["P-101/high"]["activations"], 49);
    keeper.keep(batch(50), false, now).unwrap();
    assert_eq!(disk.image().last_id, 50);
}

#[test]
fn the_file_is_written_anew_before_it_is_much_larger_than_what_it_holds() {
    let disk = Fake::with_room(usize::MAX, 10);
    let mut keeper = Keeper::new(disk.clone(), Image::default(), 10);
    let now = Instant::now();
    let text = "x".repeat(100_000);
    let mut largest = 0;
    for id in 1..200 {
        keeper.keep(Batch { events: vec![event(id, &text)], ..Batch::default() }, false, now).unwrap();
        largest = largest.max(disk.0.lock().unwrap().content.len());
        assert!(&disk.image() == keeper.image(), "at {id}");
    }
    assert!(disk.0.lock().unwrap().replaced > 2);
    assert!(largest < 2 * 1_100_000 + SPARE_BYTES as usize, "{largest}");
}

#[test]
fn without_room_for_a_second_file_the_first_goes_on() {
    let disk = Fake::with_room(SPARE_BYTES as usize + 500_000, 10);
    let mut keeper = Keeper::new(disk.clone(), Image::default(), 10);
    let now = Instant::now();
    let text = "x".repeat(100_000);
    for id in 1..46 {
        keeper.keep(Batch { events: vec![event(id, &text)], ..Batch::default() }, false, now).unwrap();
    }
    assert_eq!(disk.0.lock().unwrap().replaced, 1);
    assert_eq!(disk.image().last_id, 45);
}
