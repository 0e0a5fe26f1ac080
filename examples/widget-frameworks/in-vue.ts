import type { WidgetAttributes, WidgetEventMap } from 'tercet/widget';
import { createApp, defineComponent, h, ref } from 'vue';

// For templates that are checked by vue-tsc.
declare module 'vue' {
  interface GlobalComponents {
    'tercet-infer': new () => { $props: WidgetAttributes };
  }
}

const Mood = defineComponent(() => {
  const mood = ref('nothing yet');
  const attributes: WidgetAttributes = { model: 'sst2-bert', task: 'text-classification', 'share-result': '' };
  const onResult = ({ detail: { answer } }: WidgetEventMap['result']) => {
    if (answer?.task === 'text-classification') mood.value = answer.labels[0]?.label ?? '';
  };
  return () => [h('h1', 'Vue'), h('tercet-infer', { ...attributes, onResult }), h('p', `Vue heard: ${mood.value}`)];
});

export function showInVue(place: string): void {
  const app = createApp(Mood);
  app.config.compilerOptions.isCustomElement = (tag) => tag === 'tercet-infer';
  app.mount(place);
}
