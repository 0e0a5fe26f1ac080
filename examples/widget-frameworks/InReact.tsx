import { type Ref, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { TercetInferElement, WidgetAttributes, WidgetEventMap } from 'tercet/widget';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'tercet-infer': WidgetAttributes & { ref?: Ref<TercetInferElement>; onresult?: (event: WidgetEventMap['result']) => void };
    }
  }
}

function Mood() {
  const [mood, setMood] = useState('nothing yet');
  return (
    <>
      <h1>React</h1>
      <tercet-infer
        model="sst2-bert"
        task="text-classification"
        share-result=""
        onresult={({ detail: { answer } }) => setMood(answer?.task === 'text-classification' ? (answer.labels[0]?.label ?? '') : '')}
      />
      <p>React heard: {mood}</p>
    </>
  );
}

export function showInReact(place: string): void {
  const root = document.querySelector(place);
  if (root !== null) createRoot(root).render(<Mood />);
}
