// The ground: a standard material with lines every metre (stronger every five), whose lines fade where they would become
// finer than pixels, and which fades into the backdrop far away so that there is no hard horizon.

#import bevy_pbr::{
    pbr_fragment::pbr_input_from_standard_material,
    pbr_functions::{alpha_discard, apply_pbr_lighting, main_pass_post_lighting_processing},
    mesh_view_bindings::view,
    forward_io::{VertexOutput, FragmentOutput},
}

@group(#{MATERIAL_BIND_GROUP}) @binding(100) var<uniform> backdrop: vec4<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(101) var<uniform> line_colour: vec4<f32>;

// How much of a pixel lines of `width` metres, `spacing` metres apart, cover.
fn lines(at: vec2<f32>, spacing: f32, width: f32, pixel: vec2<f32>) -> f32 {
    let distance = abs(fract(at / spacing - 0.5) - 0.5) * spacing;
    let drawn = max(vec2<f32>(width * 0.5), pixel * 0.7);
    let cover = 1.0 - smoothstep(drawn - pixel * 0.7, drawn + pixel * 0.7, distance);
    // A line that had to be widened to be seen is drawn so much paler; lines closer than pixels vanish.
    let strength = clamp(vec2<f32>(width * 0.5) / drawn, vec2<f32>(0.15), vec2<f32>(1.0));
    let room = 1.0 - smoothstep(vec2<f32>(0.15 * spacing), vec2<f32>(0.45 * spacing), pixel);
    let both = cover * strength * room;
    return max(both.x, both.y);
}

@fragment
fn fragment(in: VertexOutput, @builtin(front_facing) is_front: bool) -> FragmentOutput {
    var pbr_input = pbr_input_from_standard_material(in, is_front);
    let at = in.world_position.xz;
    let pixel = fwidth(at);
    let ink = max(0.45 * lines(at, 1.0, 0.012, pixel), lines(at, 5.0, 0.03, pixel)) * line_colour.a;
    let ground = pbr_input.material.base_color;
    pbr_input.material.base_color = vec4<f32>(mix(ground.rgb, line_colour.rgb, ink), ground.a);

    var out: FragmentOutput;
    out.color = apply_pbr_lighting(pbr_input);
    out.color = main_pass_post_lighting_processing(pbr_input, out.color);

    let far = length(at - view.world_position.xz);
    let height = max(view.world_position.y, 4.0);
    let fade = smoothstep(5.0 * height + 20.0, 16.0 * height + 120.0, far);
    out.color = vec4<f32>(mix(out.color.rgb, backdrop.rgb, fade), 1.0);
    return out;
}
