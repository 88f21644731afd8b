//! Pictures without a display: the same world, camera and panels drawn into an image.
//!
//! In: a size in pixels. Out: an [`App`] to add the core and the panels to, and a PNG file (or the pixels) of what it
//! shows. Never opens a window, never waits longer than it was told.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bevy::asset::RenderAssetUsages;
use bevy::camera::RenderTarget;
use bevy::image::ImageFormat;
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{PipelineCache, TextureFormat, TextureUsages};
use bevy::render::settings::{Backends, RenderCreation, RenderResources, WgpuSettings};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::render::{RenderApp, RenderPlugin, renderer::initialize_renderer};
use bevy::tasks::block_on;
use bevy::window::{ExitCondition, WindowPlugin};
use bevy::winit::WinitPlugin;

use super::window::{DisplayError, assets, quietly};
use super::{Activity, ViewTarget};
use crate::files::{self, FileError};

/// Frames drawn after everything has loaded: panels settle, shadows and exposure are there.
const SETTLE_FRAMES: u32 = 6;
/// How long models and shaders may take.
const LOAD_LIMIT: Duration = Duration::from_secs(60);
/// How long the picture may take to come back from the graphics adapter.
const READ_LIMIT: Duration = Duration::from_secs(20);
/// Of one side, in pixels: what every adapter can render to.
pub const LARGEST: u32 = 8192;

#[derive(Debug, thiserror::Error)]
pub enum ShotError {
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error("size {width}x{height}: each side must be from 16 to {LARGEST} pixels")]
    Size { width: u32, height: u32 },
    #[error("the graphics adapter gave no picture back within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("the picture cannot be read: {0}")]
    Pixels(String),
    #[error("the picture is not kept: {0}")]
    Write(#[from] FileError),
}

/// The image that cameras draw into.
#[derive(Resource, Clone)]
struct Canvas(Handle<Image>);

/// An app that draws `size` pixels into an image instead of a window: Bevy's plugins, but neither [`super::plugin`] nor
/// the core. It has no runner: [`capture`] drives it, or call `finish`, `cleanup` and `update` yourself.
pub fn app(size: UVec2) -> Result<App, ShotError> {
    if !(16..=LARGEST).contains(&size.x) || !(16..=LARGEST).contains(&size.y) {
        return Err(ShotError::Size { width: size.x, height: size.y });
    }
    let renderer = probe_adapter()?;
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin {
                render_creation: RenderCreation::Manual(renderer),
                synchronous_pipeline_compilation: true,
                ..default()
            })
            .set(assets())
            .disable::<WinitPlugin>()
            // Software adapters crash now and then when drawing happens in a thread of its own (bevy #13708).
            .disable::<PipelinedRenderingPlugin>(),
    );
    let mut image = Image::new_target_texture(size.x, size.y, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    image.asset_usage = RenderAssetUsages::all();
    let canvas = app.world_mut().resource_mut::<Assets<Image>>().add(image);
    app.insert_resource(ViewTarget(RenderTarget::Image(canvas.clone().into())))
        .insert_resource(Canvas(canvas))
        .init_resource::<Activity>();
    Ok(app)
}

/// Draws until models are loaded, shaders compiled and the picture has settled, then returns it. Things that still load
/// after a minute are left out of the picture.
pub fn picture(app: &mut App) -> Result<Image, ShotError> {
    prepare(app);
    let begun = Instant::now();
    let mut settled = 0;
    while settled < SETTLE_FRAMES {
        app.update();
        let waiting = begun.elapsed() < LOAD_LIMIT && (is_unsettled(app) || is_compiling(app));
        settled = if waiting { 0 } else { settled + 1 };
    }
    read_back(app)
}

/// What the app shows as soon as its panels know what its world knows: for the frames of a film, after a [`picture`].
pub fn still(app: &mut App) -> Result<Image, ShotError> {
    // One moves the cursor and the world, one the panels that were measured in the frame before.
    app.update();
    app.update();
    read_back(app)
}

/// [`picture`] as a PNG file at `path`.
pub fn capture(app: &mut App, path: &Path) -> Result<(), ShotError> {
    save(picture(app)?, path)
}

/// Writes a picture as a PNG file at `path`.
pub fn save(image: Image, path: &Path) -> Result<(), ShotError> {
    let image = image.try_into_dynamic().map_err(|error| ShotError::Pixels(error.to_string()))?;
    let format =
        ImageFormat::Png.as_image_crate_format().ok_or_else(|| ShotError::Pixels("PNG is not built in".into()))?;
    // Transparency is of no use in a picture of a window.
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.to_rgb8().write_to(&mut bytes, format).map_err(|error| ShotError::Pixels(error.to_string()))?;
    Ok(files::replace(path, bytes.get_ref())?)
}

/// Plugins finish once; a second picture of the same app starts where the first ended.
pub fn prepare(app: &mut App) {
    #[derive(Resource)]
    struct Prepared;
    if !app.world().contains_resource::<Prepared>() {
        app.finish();
        app.cleanup();
        app.insert_resource(Prepared);
    }
}

/// Models are still being read, or the camera is on its way.
fn is_unsettled(app: &App) -> bool {
    app.world().get_resource::<Activity>().is_some_and(|activity| activity.loading || activity.camera)
}

fn is_compiling(app: &App) -> bool {
    let Some(renderer) = app.get_sub_app(RenderApp) else { return false };
    renderer.world().get_resource::<PipelineCache>().is_some_and(|cache| cache.waiting_pipelines().next().is_some())
}

fn read_back(app: &mut App) -> Result<Image, ShotError> {
    let Some(canvas) = app.world().get_resource::<Canvas>().cloned() else {
        return Err(ShotError::Pixels("this app draws into a window".into()));
    };
    let slot: Arc<Mutex<Option<Image>>> = Arc::default();
    let filled = slot.clone();
    app.world_mut().spawn(Screenshot::image(canvas.0)).observe(move |captured: On<ScreenshotCaptured>| {
        if let Ok(mut slot) = filled.lock() {
            *slot = Some(captured.image.clone());
        }
    });
    let begun = Instant::now();
    while begun.elapsed() < READ_LIMIT {
        app.update();
        if let Some(image) = slot.lock().ok().and_then(|mut slot| slot.take()) {
            return Ok(image);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err(ShotError::Timeout(READ_LIMIT))
}

/// Opens the graphics adapter that WGPU_BACKEND and its kin ask for, or says why there is none.
pub(super) fn probe_adapter() -> Result<RenderResources, DisplayError> {
    let settings = WgpuSettings::default();
    let backends = settings.backends.unwrap_or(Backends::PRIMARY);
    quietly(|| block_on(initialize_renderer(backends, None, &settings))).map_err(DisplayError::NoAdapter)
}
