/**
 * Shader modules and compute pipelines, each compiled once per device. Layouts follow from the bindings that a
 * source declares.
 */
import { invariant } from '../../../core/errors.ts';
import { SHADERS, type ShaderSource } from './shaders.generated.ts';

/** Texts of shaders, by name. */
type Sources = Readonly<Record<string, ShaderSource>>;

/** Bytes of one dispatch's parameters: the largest alignment that a device may ask of a uniform offset. */
export const SLOT = 256;

/** GPUShaderStage.COMPUTE, whose global exists in pages and not in Node. */
const COMPUTE = 0x4;

export interface Program {
  readonly pipeline: GPUComputePipeline;
  /** Layout of group 1, the storage buffers. */
  readonly storage: GPUBindGroupLayout;
}

/** The whole text of a shader for ring words of one width. */
function compose(sources: Sources, name: string, wide: boolean): string {
  const shader = sources[name];
  invariant(shader !== undefined, `no shader "${name}"`);
  const parts = new Set<string>();
  for (const use of shader.uses) {
    // Two-limb words are made of u64.
    if (use === 'word' && wide) parts.add('lib/u64');
    parts.add(use === 'word' ? `lib/word${wide ? 64 : 32}` : `lib/${use}`);
  }
  return [...parts, name].map((part) => sources[part].source).join('');
}

export class Pipelines {
  readonly #device: GPUDevice;
  #sources: Sources = SHADERS;
  readonly #modules = new Map<
    string,
    { readonly module: GPUShaderModule; readonly storage: GPUBindGroupLayout; readonly layout: GPUPipelineLayout }
  >();
  readonly #programs = new Map<string, Program>();
  /** Layout of group 0: the parameters, at a dynamic offset. */
  readonly params: GPUBindGroupLayout;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.params = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: SLOT } },
      ],
    });
  }

  get count(): number {
    return this.#programs.size;
  }

  /** Makes more shaders known: those that not everybody loads. */
  add(sources: Sources): void {
    this.#sources = { ...this.#sources, ...sources };
  }

  /** Errors of compilation show in the error scope of the batch. */
  program(name: string, wide: boolean, constants: Readonly<Record<string, number>>): Program {
    const key = `${name} ${wide ? 64 : 32} ${Object.values(constants).join(' ')}`;
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const { module, storage, layout } = this.#module(name, wide);
    const pipeline = this.#device.createComputePipeline({
      label: key,
      layout,
      compute: { module, entryPoint: 'main', constants: { ...constants } },
    });
    const program: Program = { pipeline, storage };
    this.#programs.set(key, program);
    return program;
  }

  #module(name: string, wide: boolean) {
    const key = `${name} ${wide ? 64 : 32}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const code = compose(this.#sources, name, wide);
    const entries = [...code.matchAll(/@group\(1\) @binding\((\d+)\) var<storage, (read|read_write)>/g)].map(
      ([, binding, access]): GPUBindGroupLayoutEntry => ({
        binding: Number(binding),
        visibility: COMPUTE,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      }),
    );
    const storage = this.#device.createBindGroupLayout({ entries });
    const made = {
      module: this.#device.createShaderModule({ label: key, code }),
      storage,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.params, storage] }),
    };
    this.#modules.set(key, made);
    return made;
  }
}
