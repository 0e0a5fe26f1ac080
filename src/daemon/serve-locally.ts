/**
 * Both compute parties of one model as processes of this machine. With secret weights a sharing is made for them,
 * as the model's owner would make it, and removed with them.
 */
import { join } from 'node:path';
import { Cleanup, unlessAborted } from '../core/abort.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import { enrolHere } from '../node/issuer.ts';
import type { Device } from '../node/devices.ts';
import type { ModelLocation } from '../node/model.ts';
import type { Ranges } from '../node/defaults.ts';
import { prepareShares } from '../node/shares.ts';
import type { WeightMode } from '../session/request.ts';
import { LocalParties, shareInProcess } from './local.ts';

export interface ServeLocallyOptions {
  /** The program that the parties run: the command line. */
  readonly entry: string;
  readonly model: ModelLocation;
  readonly weights: WeightMode;
  /** What the run will ask for: a protocol that parties do not serve by themselves has to be named. */
  readonly protocol?: string | undefined;
  readonly ranges?: Ranges | undefined;
  readonly device: Device;
  readonly threads: number;
  readonly profile?: string | undefined;
  readonly recvTimeoutMs?: number;
  /** Folder of the certificates of this machine's parties. */
  readonly certificates: string;
  readonly debug?: boolean;
  /** Serve sessions until stopped, not only one. */
  readonly stay?: boolean;
  readonly signal: AbortSignal;
  onProgress?(party: 1 | 2, progress: Progress): void;
}

export interface LocalServing {
  readonly addresses: ReturnType<LocalParties['addresses']>;
  /** With secret weights: what an owner of them presents, and the folder that is public of the sharing. */
  readonly credential: OwnerCredential | undefined;
  readonly ownerFolder: string | undefined;
  /** Rejects with the error of the first party that fails. */
  readonly failed: Promise<never>;
  /** Ends both parties and removes the sharing. */
  stop(): Promise<void>;
}

/** Starts both, and resolves when they have loaded the model. Nothing is left of it when it fails. */
export async function serveLocally(options: ServeLocallyOptions): Promise<LocalServing> {
  const { entry, model, weights, signal, stay = false, onProgress } = options;
  const cleanup = new Cleanup();
  try {
    const shares =
      weights === 'secret'
        ? cleanup.add(
            await prepareShares((folder) =>
              shareInProcess(entry, [...modelArguments(model), ...rangesArguments(options)], folder, signal),
            ),
            (made) => made.remove(),
          )
        : undefined;
    const parties = cleanup.add(
      await LocalParties.start({
        entry,
        stay,
        args: (id) => partyArguments(options, shares?.folder(id)),
        onProgress,
      }),
      (started) => started.stop(),
    );
    await unlessAborted(signal, parties.ready());
    const credential =
      shares === undefined ? undefined : cleanup.add(await enrolHere(shares.root), (made) => made.wipe());
    return {
      addresses: parties.addresses(),
      credential,
      ownerFolder: shares === undefined ? undefined : join(shares.root, 'owner'),
      failed: parties.failed,
      stop: () => cleanup.run(),
    };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

function rangesArguments({ ranges = 'auto' }: ServeLocallyOptions): string[] {
  return ranges === 'auto' ? [] : ['--ranges', ranges];
}

function modelArguments(model: ModelLocation): string[] {
  return model.kind === 'random'
    ? ['--random-weights', String(model.seed), '--architecture', model.configPath]
    : ['--model', `${model.kind === 'hub' ? model.id : model.path}${model.task === undefined ? '' : `#${model.task}`}`];
}

function partyArguments(options: ServeLocallyOptions, shares: string | undefined): string[] {
  const { model, protocol, certificates, device, threads, profile, recvTimeoutMs, debug } = options;
  return [
    ...(shares === undefined ? [...modelArguments(model), ...rangesArguments(options)] : ['--shares', shares]),
    // Nobody but this process reaches them: what a run may take is the user's own choice.
    ...['--max-memory', 'none', '--max-traffic', 'none'],
    ...['--certificates', certificates, '--device', device, '--threads', String(threads)],
    ...(protocol === 'aby3' ? ['--protocols', protocol] : []),
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...(recvTimeoutMs === undefined ? [] : ['--network-timeout', String(Math.ceil(recvTimeoutMs / 1000))]),
    ...(debug === true ? ['--debug'] : []),
  ];
}
