/**
 * Kinds of message of `aby3` that are not those of `3pc_malicious`, and the relations that prove them. Every other kind
 * is in `malicious/messages.ts`, where P0 proves with open weights what it does with secret ones.
 */
import { MESSAGES, type MessageKind } from '../malicious/messages.ts';

/** In the rounds, where masks of what it reads follow from the input. */
export const OWN_MESSAGES: readonly MessageKind[] = [
  { tag: 'product-12', from: 1, to: 2, what: "m'", relations: ['product.m'] },
  { tag: 'product-01', from: 0, to: 1, what: "λ1'", relations: ['product.l1'] },
  { tag: 'product-20', from: 2, to: 0, what: "λ2'", relations: ['product.l2'] },
  { tag: 'select-02', from: 0, to: 2, what: 'B', relations: ['select.word'] },
  { tag: 'widen-02', from: 0, to: 2, what: 'B', relations: ['widen.word'] },
  { tag: 'affine-21', from: 2, to: 1, weights: 'open', what: 'q', relations: ['affine.q'] },
  { tag: 'affine-02', from: 0, to: 2, weights: 'secret', what: 'Γ2', relations: ['affine.gamma'] },
];

/** Those of both, with one protocol's products. */
export const SYMMETRIC_MESSAGES: readonly MessageKind[] = [
  ...OWN_MESSAGES,
  ...MESSAGES.flatMap((kind): MessageKind[] => {
    const { tag, from, weights } = kind;
    const proved = from === 0 && /-deal$|^input-/.test(tag);
    if (tag.startsWith('product-') || (proved && weights === 'open')) return [];
    const { weights: _, ...always } = kind;
    return [proved && tag !== 'affine-deal' ? always : kind];
  }),
];
