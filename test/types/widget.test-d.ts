/** What the compiler tells host pages of `<tercet-infer>`. Checked by `tsc`, never run. */
import { expectTypeOf } from 'vitest';
import type { TercetInferElement, WidgetAnswer, WidgetAttributes, WidgetEventMap } from '../../src/widget/types.ts';

export async function host(): Promise<void> {
  const card = document.createElement('tercet-infer');
  expectTypeOf(card).toEqualTypeOf<TercetInferElement>();
  expectTypeOf(document.querySelector('tercet-infer')).toEqualTypeOf<TercetInferElement | null>();
  card.addEventListener('result', (event) => {
    expectTypeOf(event).toEqualTypeOf<WidgetEventMap['result']>();
    expectTypeOf(event.detail.answer).toEqualTypeOf<WidgetAnswer | undefined>();
  });
  card.addEventListener('error', ({ detail }) => expectTypeOf(detail.code).toBeString());
  // Other events are those of any element.
  card.addEventListener('click', (event) => expectTypeOf(event).toEqualTypeOf<Event>());
  expectTypeOf(await card.run()).toEqualTypeOf<WidgetAnswer | undefined>();
  expectTypeOf(card.validity).toEqualTypeOf<ValidityState>();
  // @ts-expect-error the answer is the frame's to give
  card.value = 'POSITIVE';
  // @ts-expect-error there is no such mode
  card.mode = 'popup';
}

/** As React and Vue take attributes of a custom element. */
export const attributes: WidgetAttributes = { model: 'sst2-bert', task: 'text-classification', 'share-result': '' };
// @ts-expect-error there is no such task
export const wrong: WidgetAttributes = { task: 'reading' };
