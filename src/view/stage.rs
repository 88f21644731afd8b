//! What the twins stand on and what lights them: ground with a metre grid, one sun with soft shadows, an even sky.
//!
//! In: nothing, and the extent of the scene for shadows. Out: light and ground. Never draws attention to itself.

use bevy::asset::{AssetPath, embedded_asset, embedded_path};
use bevy::light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap, GlobalAmbientLight, NotShadowCaster};
use bevy::pbr::{ExtendedMaterial, MaterialExtension, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::AsBindGroup;
use bevy::shader::ShaderRef;

use super::palette;

/// Half the side of the ground, in metres; it has faded into the backdrop before its edge.
const GROUND_HALF: f32 = 600.0;
/// Seen sharply up to here, in metres from the eye.
const SHADOWS_UP_TO: f32 = 160.0;

/// Lines every metre, stronger every five, fading with distance.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub(super) struct Grid {
    /// Linear RGB that the ground fades into.
    #[uniform(100)]
    backdrop: LinearRgba,
    /// Linear RGB of lines, and how strong they are.
    #[uniform(101)]
    line: LinearRgba,
}

impl MaterialExtension for Grid {
    fn fragment_shader() -> ShaderRef {
        ShaderRef::Path(AssetPath::from_path_buf(embedded_path!("grid.wgsl")).with_source("embedded"))
    }
}

pub(super) type GroundMaterial = ExtendedMaterial<StandardMaterial, Grid>;

pub(super) fn plugin(app: &mut App) {
    embedded_asset!(app, "grid.wgsl");
    app.add_plugins(MaterialPlugin::<GroundMaterial>::default())
        .insert_resource(ClearColor(palette::BACKDROP))
        .insert_resource(GlobalAmbientLight::NONE)
        .insert_resource(DirectionalLightShadowMap { size: 4096 })
        .add_systems(Startup, build);
}

/// Light from everywhere: brighter from above, warm grey from the floor. On the world camera.
pub(super) fn sky(images: &mut Assets<Image>) -> EnvironmentMapLight {
    EnvironmentMapLight {
        intensity: 540.0,
        ..EnvironmentMapLight::hemispherical_gradient(
            images,
            Color::srgb(0.97, 0.98, 1.0),
            Color::srgb(0.78, 0.80, 0.83),
            Color::srgb(0.52, 0.51, 0.50),
        )
    }
}

fn build(mut commands: Commands, mut meshes: ResMut<Assets<Mesh>>, mut materials: ResMut<Assets<GroundMaterial>>) {
    commands.spawn((
        Name::new("sun"),
        DirectionalLight {
            illuminance: 3_100.0,
            color: Color::srgb(1.0, 0.985, 0.96),
            shadow_maps_enabled: true,
            ..default()
        },
        CascadeShadowConfigBuilder {
            num_cascades: 3,
            minimum_distance: 0.5,
            maximum_distance: SHADOWS_UP_TO,
            first_cascade_far_bound: 18.0,
            ..default()
        }
        .build(),
        Transform::from_xyz(-6.0, 14.0, 7.0).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    commands.spawn((
        Name::new("fill light"),
        DirectionalLight { illuminance: 350.0, color: Color::srgb(0.93, 0.96, 1.0), ..default() },
        Transform::from_xyz(9.0, 6.0, -5.0).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    commands.spawn((
        Name::new("ground"),
        Mesh3d(meshes.add(Plane3d::new(Vec3::Y, Vec2::splat(GROUND_HALF)))),
        MeshMaterial3d(materials.add(GroundMaterial {
            base: StandardMaterial {
                base_color: palette::GROUND,
                perceptual_roughness: 0.95,
                reflectance: 0.08,
                ..default()
            },
            extension: Grid { backdrop: palette::BACKDROP.to_linear(), line: LinearRgba::new(0.20, 0.22, 0.24, 0.55) },
        })),
        NotShadowCaster,
    ));
}
