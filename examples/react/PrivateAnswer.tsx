import { type FormEvent, StrictMode, useState } from 'react';
import { TercetError } from 'tercet';
import { useModel } from './useModel.ts';

const CONTEXT = 'The tower was designed by Gustave Eiffel, and it was built in Paris in 1889.';

function Form({ model: id }: { readonly model: string }) {
  const model = useModel(id);
  const [answer, setAnswer] = useState('');
  const [busy, setBusy] = useState(false);

  async function ask(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setBusy(true);
    try {
      const found = await model?.answerQuestion({
        question: String(given.get('question')),
        context: String(given.get('context')),
      });
      setAnswer(found?.answer ?? '');
    } catch (error) {
      setAnswer(error instanceof TercetError ? error.line() : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={ask}>
      <h1>A private question</h1>
      <textarea name="context" aria-label="Text" rows={3} defaultValue={CONTEXT} />
      <input name="question" aria-label="Question" defaultValue="Who designed the tower?" />
      <button type="submit" disabled={model === undefined || busy}>
        Ask
      </button>
      <output>{answer}</output>
    </form>
  );
}

/** A form whose text only this page reads. Effects run twice in strict mode: the model is let go of in between. */
export function PrivateAnswer({ model }: { readonly model: string }) {
  return (
    <StrictMode>
      <Form model={model} />
    </StrictMode>
  );
}
