#!/usr/bin/env bash
# Installs the system packages that running (`run`) or testing (`test`) Pollux needs where they are missing,
# when it may (root or password-less sudo, and apt); else says which they are.
set -eu

purpose=${1:?usage: system.sh run|test}

# What is asked for, and the Debian package that brings it.
missing=()
need_command() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need_library() { ldconfig -p 2>/dev/null | grep -q "$1" || missing+=("$2"); }
need_vulkan_driver() {
    compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null ||
        missing+=(mesa-vulkan-drivers)
}

# A compiler without the C library's own files cannot link.
echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - 2>/dev/null || missing+=(gcc libc6-dev)
need_library libvulkan.so.1 libvulkan1
need_vulkan_driver
if [ "$purpose" = test ] || [ -n "${DISPLAY:-}" ]; then
    need_library libX11.so.6 libx11-6
    need_library libXcursor.so.1 libxcursor1
    need_library libXi.so.6 libxi6
    need_library libXrandr.so.2 libxrandr2
    need_library libxkbcommon-x11.so.0 libxkbcommon-x11-0
    need_library libX11-xcb.so.1 libx11-xcb1
fi
if [ "$purpose" = test ]; then
    PATH=$PATH:/usr/sbin need_command mosquitto mosquitto
    need_command mosquitto_pub mosquitto-clients
    need_command Xvfb xvfb
    need_command python3 python3
    need_command npm npm
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then sudo=(sudo -n); fi
fi
if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" -eq 0 ] || [ ${#sudo[@]} -gt 0 ]; }; then
    echo "system.sh: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    # Debian starts a packaged broker by itself; the tests start their own.
    "${sudo[@]}" service mosquitto stop >/dev/null 2>&1 || true
else
    echo "system.sh: these packages are missing and cannot be installed from here: ${missing[*]}" >&2
    echo "system.sh: install them, e.g.: sudo apt-get install ${missing[*]}" >&2
    exit 3
fi
