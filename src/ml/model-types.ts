/**
 * The model types that this version runs, and what each has of its own: one record, so that a new one is asked for
 * everything. The names of its tensors are in models/weight-layouts.ts.
 */

export type ModelType = 'bert' | 'roberta' | 'distilbert' | 'gpt2';

/** What stands on top of the layers. 'none': the last hidden states themselves, for feature extraction. */
export type Head =
  | 'masked-lm'
  | 'sequence-classification'
  | 'question-answering'
  | 'token-classification'
  | 'causal-lm'
  | 'none';

/** 'gelu' is the exact one, with erf; 'gelu_new' its tanh form. */
export type Activation = 'gelu' | 'gelu_new' | 'relu';

/** How an architecture spells its sizes in config.json. */
export interface Spelling {
  readonly hidden: string;
  readonly layers: string;
  readonly heads: string;
  /** Feed-forward width. */
  readonly inner: string;
  readonly positions: string;
  readonly activation: string;
  /** undefined: the architecture fixes it. */
  readonly eps: string | undefined;
}

/** What the Python library's configuration of an architecture has where the file is silent. */
interface Defaults {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly inner: number | undefined;
  readonly positions: number;
  readonly vocabulary: number;
  readonly activation: string;
  readonly eps: number;
}

export interface Traits {
  /** What the classes begin with that config.json may name. */
  readonly prefix: string;
  /** What follows the prefix, and the head of that class. The first name of a head is the one to give. */
  readonly heads: Readonly<Record<string, Head>>;
  readonly spelling: Spelling;
  readonly defaults: Defaults;
  readonly tokenTypes: boolean;
  /** Whether the model without a head may have a pooler. */
  readonly pooler: boolean;
  /** Whether its positions begin behind the padding token's id. */
  readonly positionsBehindPadding: boolean;
  /** `pad_token_id`, where the file says nothing. */
  readonly paddingId: number | undefined;
  /** The function inside the classifier of a sequence. */
  readonly classifier: 'tanh' | 'relu';
  /** The function inside the masked language model's head; undefined: that of the layers. */
  readonly maskedHead: Activation | undefined;
}

const BERT_DEFAULTS: Defaults = {
  hidden: 768,
  layers: 12,
  heads: 12,
  inner: 3072,
  positions: 512,
  vocabulary: 30_522,
  activation: 'gelu',
  eps: 1e-12,
};

const BERT_SPELLING: Spelling = {
  hidden: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  inner: 'intermediate_size',
  positions: 'max_position_embeddings',
  activation: 'hidden_act',
  eps: 'layer_norm_eps',
};

const BERT: Traits = {
  prefix: 'Bert',
  heads: {
    ForMaskedLM: 'masked-lm',
    ForPreTraining: 'masked-lm',
    ForSequenceClassification: 'sequence-classification',
    ForQuestionAnswering: 'question-answering',
    ForTokenClassification: 'token-classification',
    Model: 'none',
  },
  spelling: BERT_SPELLING,
  defaults: BERT_DEFAULTS,
  tokenTypes: true,
  pooler: true,
  positionsBehindPadding: false,
  paddingId: 0,
  classifier: 'tanh',
  maskedHead: undefined,
};

export const TRAITS: Readonly<Record<ModelType, Traits>> = {
  bert: BERT,
  roberta: {
    ...BERT,
    prefix: 'Roberta',
    defaults: { ...BERT_DEFAULTS, vocabulary: 50_265 },
    positionsBehindPadding: true,
    paddingId: 1,
    maskedHead: 'gelu',
  },
  distilbert: {
    ...BERT,
    prefix: 'DistilBert',
    spelling: {
      hidden: 'dim',
      layers: 'n_layers',
      heads: 'n_heads',
      inner: 'hidden_dim',
      positions: 'max_position_embeddings',
      activation: 'activation',
      eps: undefined,
    },
    defaults: { ...BERT_DEFAULTS, layers: 6 },
    tokenTypes: false,
    pooler: false,
    classifier: 'relu',
  },
  gpt2: {
    ...BERT,
    prefix: 'GPT2',
    heads: { LMHeadModel: 'causal-lm', Model: 'none' },
    spelling: {
      hidden: 'n_embd',
      layers: 'n_layer',
      heads: 'n_head',
      inner: 'n_inner',
      positions: 'n_positions',
      activation: 'activation_function',
      eps: 'layer_norm_epsilon',
    },
    defaults: {
      ...BERT_DEFAULTS,
      inner: undefined,
      positions: 1024,
      vocabulary: 50_257,
      activation: 'gelu_new',
      eps: 1e-5,
    },
    tokenTypes: false,
    pooler: false,
    paddingId: undefined,
  },
};

export const MODEL_TYPES = Object.keys(TRAITS) as ModelType[];
