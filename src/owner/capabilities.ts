/** What a place can run, and why not. Asked, never guessed from a browser's name. */
import type { Availability, Capabilities, Device } from './types/index.ts';

/** Smallest module that uses a SIMD instruction: () → v128, i32.const 0, i8x16.splat. */
const SIMD_PROBE = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  65,
  0,
  253,
  15,
  11,
);

export interface Place {
  readonly gpu: GPU | undefined;
  readonly secureContext: boolean;
  readonly webrtc: boolean;
  readonly workers: boolean;
  readonly threads: number;
  readonly crossOriginIsolated: boolean;
}

export async function capabilitiesOf(place: Place): Promise<Capabilities> {
  const { availability: webgpu, software } = await probeWebGpu(place);
  const wasm = probeWasm();
  // A software adapter works, and the processor does the same work faster without it.
  const device: Device | undefined =
    webgpu.ok && !software ? 'webgpu' : wasm.ok ? 'wasm' : webgpu.ok ? 'webgpu' : undefined;
  return {
    webgpu,
    wasm,
    webrtc: place.webrtc
      ? { ok: true, detail: 'data channels' }
      : { ok: false, reason: 'no-api', detail: 'there is no RTCPeerConnection here' },
    workers: place.workers
      ? { ok: true, detail: 'module workers' }
      : { ok: false, reason: 'no-api', detail: 'there is no Worker here' },
    threads: place.threads,
    crossOriginIsolated: place.crossOriginIsolated,
    device,
  };
}

async function probeWebGpu({ gpu, secureContext }: Place): Promise<{ availability: Availability; software: boolean }> {
  const no = (reason: string, detail: string) => ({
    availability: { ok: false, reason, detail } as const,
    software: false,
  });
  if (!secureContext) return no('insecure-context', 'WebGPU needs https: (or this machine)');
  if (gpu === undefined) return no('no-api', 'this browser has no WebGPU');
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch {
    adapter = null;
  }
  if (adapter === null) return no('no-adapter', 'no graphics device that WebGPU can use');
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const software =
    isFallbackAdapter === true || /swiftshader|llvmpipe|software/i.test(`${vendor} ${architecture} ${description}`);
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'a graphics device';
  return { availability: { ok: true, detail: software ? `${name}, in software on the processor` : name }, software };
}

function probeWasm(): Availability {
  if (typeof WebAssembly !== 'object')
    return { ok: false, reason: 'no-wasm', detail: 'this browser has no WebAssembly' };
  if (!WebAssembly.validate(SIMD_PROBE))
    return { ok: false, reason: 'no-simd', detail: 'its WebAssembly has no SIMD instructions' };
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return {
      ok: false,
      reason: 'blocked-by-csp',
      detail: "the page's Content-Security-Policy lacks 'wasm-unsafe-eval'",
    };
  }
  return { ok: true, detail: 'WebAssembly with SIMD' };
}

/** This page or worker. A worker cannot see whether its page has WebRTC, so it is told. */
export function browserPlace(webrtc = typeof RTCPeerConnection === 'function'): Place {
  return {
    gpu: typeof navigator === 'object' ? (navigator as Partial<Navigator>).gpu : undefined,
    secureContext: globalThis.isSecureContext,
    webrtc,
    workers: typeof Worker === 'function',
    threads: threadsFor(navigator.hardwareConcurrency),
    crossOriginIsolated: globalThis.crossOriginIsolated,
  };
}

/** Kernel workers beside the party's own: half of what the machine says, at most eight. The page needs the rest. */
export function threadsFor(cores: number | undefined): number {
  return Math.max(1, Math.min(8, Math.floor((cores ?? 2) / 2)));
}
