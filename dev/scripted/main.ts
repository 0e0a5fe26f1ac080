/** The page with the scripted SDK: `?script=peer-lost`, `&pace=20`, `&fallback` and so on. */
import { start } from '../../src/app/start.ts';
import { SCRIPTS, scripted } from './scripted.ts';

const wanted = new URLSearchParams(location.search);
const script = SCRIPTS.find((name) => name === wanted.get('script')) ?? 'ok';
const fallback = wanted.has('fallback') ? { fallback: true } : {};
void start(scripted(script, { pace: Number(wanted.get('pace') ?? 1), ...fallback }));
