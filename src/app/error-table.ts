/**
 * The words of every error code: one row each, and the compiler holds the table complete. `{operator}` and the like
 * are filled in by `errors.ts`.
 */
import type { ErrorCode } from '../core/errors.ts';

/** Buttons under an error. The first is the filled one. */
export type Action = 'run' | 'reload' | 'settings' | 'credential' | 'wasm' | 'websocket' | 'plain';

export interface Row {
  readonly title: string;
  readonly happened: string;
  readonly remedy: string;
  readonly actions?: readonly Action[];
  /**
   * Links that are crossed out: this tab's own to a party that it cannot reach, or all of a party that is gone.
   * Else it is only outlined.
   */
  readonly cut?: 'own' | 'all';
  /** The word in place of the party's health. */
  readonly mark?: string;
  /** Belongs under the text box. */
  readonly input?: boolean;
  /** The fault of this tab or this device, not of a party. */
  readonly here?: boolean;
}

const ENDED = 'The run was ended and its keys thrown away.';
/** Unless a part of a generated text was. */
const OPENED = '{opened}';

const LOST: Row = {
  title: '{Party} stopped answering',
  happened: `No message came from {operator} in time{place}. The run was ended on all three parties. ${OPENED}`,
  remedy:
    'run it again. New keys will be made; no key is used twice. If it happens again, ask {operator} whether its party is up.',
  actions: ['run', 'settings'],
  cut: 'all',
  mark: 'no answer',
};
/** What a party says that waited for this tab in vain. */
export const LATE: Row = {
  title: 'This tab was too slow',
  happened: `A party waited for this tab for longer than it waits for anybody{place}. The run was ended on all three parties. ${OPENED}`,
  remedy:
    'run it again. If it happens again, close what else keeps this device or its connection busy, or shorten the text.',
  here: true,
  mark: 'too slow',
};
const UNREACHABLE: Row = {
  title: '{Party} cannot be reached',
  happened: `No connection to {operator} came about. ${OPENED}`,
  remedy:
    'check this device’s network, then run it again. If it happens again, ask {operator} whether its party is up.',
  actions: ['run', 'settings'],
  cut: 'own',
  mark: 'not reached',
};
const IDENTITY: Row = {
  title: 'This is not the party you chose',
  happened: `What answered as {party} did not prove the identity that was chosen for {operator}. No key and no text was sent to it.`,
  remedy: 'do not continue. Compare the fingerprint in the settings with the one on the operator’s own page.',
  actions: ['settings'],
  mark: 'identity not proved',
};
const WRONG: Row = {
  title: '{Party} sent something wrong',
  happened: `A message from {operator} was not what the protocol expects{place}, so the run was ended on all three parties. ${OPENED}`,
  remedy: 'run it again. If it happens again, do not use {operator} until it has explained this.',
  actions: ['run', 'settings'],
  mark: 'sent a wrong message',
};
const OTHER_MODEL: Row = {
  title: 'The parties run a different model',
  happened: `{Party} does not run the model that this page asked for. ${OPENED}`,
  remedy: 'choose the model again in the settings. If it is the only one, tell {operator}.',
  actions: ['settings', 'reload'],
  mark: 'different model',
};
const OWN_MODEL: Row = {
  title: 'The model cannot be used',
  happened: 'The files of the model that this page was given do not fit together. No text was sent.',
  remedy: 'load them again. If it happens again, choose another model and tell whoever runs this page.',
  actions: ['reload', 'settings'],
  here: true,
  mark: 'no model',
};
const BUG: Row = {
  title: 'Something in Tercet went wrong',
  happened: `${ENDED} ${OPENED}`,
  remedy: 'run it again. If it happens again, please report it with the details below; they hold nothing of your text.',
  actions: ['run', 'reload'],
  here: true,
  mark: 'stopped',
};
const ENCODING: Row = {
  title: 'The text holds characters that cannot be sent',
  happened: 'There are control characters or broken characters in it.',
  remedy: 'type that part again by hand, or paste it as plain text.',
  input: true,
};

/** A login page, or the start page of a server, in place of a file. */
export const WEB_PAGE: Row = {
  title: 'A web page came in place of a file',
  happened:
    'Something between this page and its server, or the server itself, answered with a web page: a network that wants you to log in, a proxy, or a file that is not where it should be. No text was sent.',
  remedy:
    'log in to this network if it asks for that, then load it again. If it happens again, tell whoever runs this page.',
  actions: ['reload'],
  here: true,
  mark: 'not loaded',
};

/** The address of the page asks for something. The page takes no orders there, and does not run as if it had. */
export const ADDRESS: Row = {
  title: 'The address asks for something that this page does not do',
  happened:
    'There are options in the address of this page. It takes none there, so none of them is in force, and nothing runs until they are gone. Nothing was sent.',
  remedy: 'open the page without them, and choose in its settings.',
  actions: ['plain'],
  here: true,
  mark: 'not started',
};

/** Weights were chosen that the parties do not serve for this model. */
export const UNSERVED: Row = {
  title: 'This model is not served with those weights',
  happened:
    'The weights that were chosen in the settings are not served for this model. They were not replaced by the other kind. No text was sent.',
  remedy: 'choose the other kind in the settings, or another task.',
  actions: ['settings'],
  here: true,
  mark: 'not started',
};

export const TABLE: Record<ErrorCode, Row> = {
  ERR_TEXT_EMPTY: {
    title: 'There is no text',
    happened: '',
    remedy: 'type a sentence.',
    input: true,
  },
  ERR_NO_MASK: {
    title: 'There is no blank in the text',
    happened: '',
    remedy: 'put the cursor where the word is missing and press “Add a blank”.',
    input: true,
  },
  ERR_TEXT_TOO_LONG: { title: 'The text is too long', happened: '', remedy: 'shorten it{limit}.', input: true },
  ERR_TOO_MANY_TOKENS: { title: 'The text is too long', happened: '', remedy: 'shorten it{limit}.', input: true },
  ERR_TEXT_ENCODING: ENCODING,
  ERR_TEXT_CONTROL: ENCODING,
  ERR_PEER_TIMEOUT: LOST,
  ERR_PEER_CLOSED: {
    ...LOST,
    happened: `The link to {operator} was closed{place}. The run was ended on all three parties. ${OPENED}`,
  },
  ERR_PEER_UNREACHABLE: UNREACHABLE,
  ERR_PEER_CERTIFICATE: {
    title: 'The certificate of {party} is not accepted',
    happened: `What answered as {party} showed a certificate that does not hold for {operator}. No key and no text was sent to it.`,
    remedy: 'ask {operator} for the state of its certificate, then run it again.',
    actions: ['run', 'settings'],
    mark: 'certificate not accepted',
  },
  ERR_IDENTITY_PEERS: {
    title: 'The two compute parties do not accept each other’s identity',
    happened: `{Party} did not prove to the other compute party who it is. Each of them proved it to this page. Nothing was computed. ${OPENED}`,
    remedy:
      'tell both operators. Each compares the identity that it expects of the other with the one that the other’s party prints. Then run it again.',
    actions: ['run', 'settings'],
    mark: 'not accepted by the other',
  },
  ERR_IDENTITY_KEY: IDENTITY,
  ERR_IDENTITY_PARTY: IDENTITY,
  ERR_IDENTITY_REPLAY: IDENTITY,
  ERR_IDENTITY_FINGERPRINT: IDENTITY,
  ERR_PEER_MISMATCH: {
    title: 'The parties do not agree on the run',
    happened: `{Party} runs another version or other settings than this page. ${OPENED}`,
    remedy: 'load the page again. If it happens again, tell {operator}.',
    actions: ['reload', 'settings'],
    mark: 'does not agree',
  },
  ERR_TOO_LARGE: {
    title: '{Party} does not take a run this large',
    happened: `{operator} takes runs of a limited size, and this one is larger. ${OPENED}`,
    remedy: 'shorten the text, or run fewer texts at once.',
    actions: ['run', 'settings'],
    mark: 'takes smaller runs',
  },
  ERR_PEER_BUSY: {
    title: '{Party} is busy',
    happened: `{operator} already serves as many runs as it can. ${OPENED}`,
    remedy: 'wait a minute, then run it again.',
    actions: ['run', 'settings'],
    mark: 'busy',
  },
  ERR_PEER_LET_GO: {
    title: '{Party} needed the place',
    happened: `This page had prepared a run and sent no text for it, and {operator} gave its place to somebody who was waiting. ${OPENED}`,
    remedy: 'run it. New keys are made for it.',
    actions: ['run', 'settings'],
    mark: 'place given away',
  },
  ERR_PEER_FAILED: {
    title: '{Party} failed',
    happened: `{operator} says that its party could not go on{place}. The run was ended on all three parties. ${OPENED}`,
    remedy: 'run it again. If it happens again, ask {operator}.',
    actions: ['run', 'settings'],
    mark: 'failed',
  },
  ERR_SECURITY_VIOLATION: {
    title: 'A party was caught',
    happened: `A party did not follow the protocol, and its proof was refused. ${OPENED}`,
    remedy: 'do not use these parties until their operators have explained it.',
    actions: ['settings'],
    mark: 'caught',
  },
  ERR_MODEL_HASH: OTHER_MODEL,
  ERR_CREDENTIAL_MISSING: {
    title: 'This model is for enrolled owners',
    happened: 'Its weights are secret, and no credential was given. Nothing was downloaded and nothing was sent.',
    remedy: 'choose the credential file that the model’s owner made for you. It stays in this tab.',
    actions: ['credential', 'settings'],
    here: true,
  },
  ERR_CREDENTIAL_EXPIRED: {
    title: 'Your credential has ended',
    happened: 'The time that the model’s owner gave it is over. {opened}',
    remedy:
      'ask the model’s owner for a new credential file. If it should still be good, check the clock of this device.',
    actions: ['credential', 'settings'],
    here: true,
  },
  ERR_CREDENTIAL_REVOKED: {
    title: 'Your credential was revoked',
    happened: '{Party} was told by the model’s owner not to take it any more. {opened}',
    remedy: 'ask the model’s owner why, or for a new credential file.',
    actions: ['credential', 'settings'],
    here: true,
  },
  ERR_CREDENTIAL_SHARING: {
    title: 'The credential is for another model',
    happened: 'It was made for another model, or for an older sharing of this one. {opened}',
    remedy: 'choose the credential file that belongs to this model, or ask its owner for a new one.',
    actions: ['credential', 'settings'],
    here: true,
  },
  ERR_CREDENTIAL_SIGNATURE: {
    title: 'The credential is not accepted',
    happened: 'It was not made by this model’s owner, or something changed it. {opened}',
    remedy: 'get the file again from the model’s owner.',
    actions: ['credential', 'settings'],
    here: true,
  },
  ERR_CREDENTIAL_DEALER: {
    title: 'This dealer is not allowed',
    happened: 'It would get the seeds of the secret weights, and the model’s owner has not allowed that. {opened}',
    remedy: 'have this browser deal, or ask the model’s owner for a credential file that names the dealer.',
    actions: ['settings', 'credential'],
    here: true,
  },
  ERR_MODEL_NOT_FOUND: OTHER_MODEL,
  ERR_FRAME_SESSION: WRONG,
  ERR_FRAME_SEQUENCE: WRONG,
  ERR_FRAME_TAG: WRONG,
  ERR_FRAME_LENGTH: WRONG,
  ERR_FRAME_FORMAT: WRONG,
  ERR_DEVICE_LOST: {
    title: 'The graphics device stopped',
    happened: `The browser lost its graphics processor. This happens after a driver reset, on wake from sleep, or when another program takes the memory. ${ENDED}`,
    remedy: 'run again. If it stops twice, use the processor instead: the answer is the same, preparing is slower.',
    actions: ['run', 'wasm'],
    here: true,
    mark: 'graphics device lost',
  },
  ERR_DEVICE_MEMORY: {
    title: 'The graphics device ran out of memory',
    happened: `There was not enough graphics memory for a text of this length. ${ENDED}`,
    remedy: 'run again. If it stops twice, use the processor instead, or a shorter text.',
    actions: ['run', 'wasm'],
    here: true,
    mark: 'graphics memory full',
  },
  ERR_DEVICE_UNAVAILABLE: {
    title: 'This device cannot do it',
    happened: 'What the settings ask for is not available in this browser. No text was sent.',
    remedy: 'choose another device in the settings; each one there says what is missing.',
    actions: ['settings'],
    here: true,
    mark: 'not available',
  },
  ERR_KERNEL: { ...BUG, title: 'The browser’s computation failed' },
  ERR_WORKER: {
    ...BUG,
    title: 'The browser stopped a part of Tercet',
    happened: `The part of this page that computes ended or could not be loaded: memory was short, or something else came in place of its file. ${ENDED} ${OPENED}`,
    remedy:
      'load it again. If it happens again, close other tabs or use a shorter text, and tell whoever runs this page.',
    actions: ['reload', 'run'],
  },
  ERR_LINK_BLOCKED: {
    title: 'This network blocks the direct link',
    happened: `The link to {party} could not be opened directly. ${OPENED}`,
    remedy: 'use the WebSocket link: same privacy, slower. Or use another network.',
    actions: ['websocket', 'settings'],
    cut: 'own',
    mark: 'link blocked',
  },
  ERR_DOWNLOAD: {
    title: 'A file of this page did not arrive',
    happened: 'The list of parties or the model’s word list could not be downloaded. No text was sent.',
    remedy: 'check this device’s network, then load it again.',
    actions: ['reload'],
    here: true,
    mark: 'not loaded',
  },
  ERR_INTEGRITY: {
    title: 'A file is not the one that was promised',
    happened: 'A downloaded file does not have the fingerprint it should have, so it was not used. No text was sent.',
    remedy: 'load it again. If it happens again, do not use this page and tell whoever runs it.',
    actions: ['reload'],
    here: true,
    mark: 'wrong file',
  },
  ERR_MODEL_FORMAT: OWN_MODEL,
  ERR_MODEL_CONFIG: OWN_MODEL,
  ERR_MODEL_UNSUPPORTED: OWN_MODEL,
  ERR_TOKENIZER: OWN_MODEL,
  ERR_RANGE: {
    ...OWN_MODEL,
    happened: 'The numbers inside this model can grow too large for a private run. No text was sent.',
    remedy: 'choose another model in the settings.',
    actions: ['settings'],
  },
  ERR_RANGE_EXCEEDED: {
    title: 'This text goes beyond what the model was planned for',
    happened:
      'A number inside the model left the range in which it is computed, so there is no answer. Only this device was told.',
    remedy:
      'shorten or reword the text, then run it again. If it happens often, ask both operators for a wider plan of the model.',
    actions: ['run'],
    here: true,
    mark: 'no answer',
  },
  ERR_PROTOCOL_UNAVAILABLE: {
    title: 'This protocol is not to be had here',
    happened:
      'The parties do not serve it, or not for this task and these settings. It was not replaced by a weaker one. No text was sent.',
    remedy: 'choose the semi-honest protocol in the settings, if you trust the parties to follow the steps.',
    actions: ['settings'],
    here: true,
    mark: 'not started',
  },
  ERR_INSECURE: {
    title: 'This page is not safe to use here',
    happened: 'Private runs need a page and parties that are reached over HTTPS. No text was sent.',
    remedy: 'open the page at its https:// address.',
    actions: ['settings'],
    here: true,
    mark: 'not over HTTPS',
  },
  ERR_STATE: { ...BUG, title: 'The run was already over' },
  ERR_ABORTED: {
    title: 'Stopped',
    happened: 'Stopped on all three parties. Nothing was opened.',
    remedy: 'run it again when you like.',
    actions: ['run'],
    here: true,
    mark: 'stopped',
  },
  ERR_ARGUMENT: BUG,
  ERR_SHAPE: BUG,
  ERR_PAD_REUSE: BUG,
  ERR_INTERNAL: BUG,
};
