/** A gateway in this process before tiny models of random weights, all three parties with links in memory. */
import { type Gateway, type GatewayOptions, type Told, startGateway } from '../../src/rest/server.ts';
import { WasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import type { Model } from '../../src/owner/types/index.ts';
import { serviceLog } from '../../src/operate/service-log.ts';
import { type MemorySite, type ModelId, memorySite } from '../sdk/memory-site.ts';

/** The same model under another name. */
function named(model: Model, id: string): Model {
  return new Proxy(model, {
    get(target, property) {
      if (property === 'id') return id;
      const value = Reflect.get(target, property, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

export class World {
  readonly sites = new Map<ModelId, MemorySite>();
  readonly models: Model[] = [];
  /** Lines of the log, at its most talkative. */
  readonly lines: string[] = [];
  readonly told: Told[] = [];
  readonly #gateways: Gateway[] = [];

  static async start(names: Readonly<Partial<Record<ModelId, string>>>): Promise<World> {
    const world = new World();
    const module = await loadNodeModule();
    for (const [id, name] of Object.entries(names) as [ModelId, string][]) {
      const site = await memorySite(id, undefined, new WasmKernels({ party: PartyOperations, module, threads: 0 }));
      world.sites.set(id, site);
      world.models.push(
        named(await site.load({}, new WasmKernels({ party: PartyOperations, module, threads: 0 })), name),
      );
    }
    return world;
  }

  async gateway(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
    const gateway = await startGateway({
      models: this.models,
      host: '127.0.0.1',
      port: 0,
      version: '0.0.0',
      log: serviceLog('trace', (line) => this.lines.push(line)),
      onDone: (told) => this.told.push(told),
      ...options,
    });
    this.#gateways.push(gateway);
    return gateway;
  }

  site(id: ModelId): MemorySite {
    const site = this.sites.get(id);
    if (site === undefined) throw new Error(id);
    return site;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.close(0)));
    await Promise.all(this.models.map((model) => model.dispose()));
  }
}
