/** The page with the scripted SDK: `?script=peer-lost` and so on. */
import { start } from '../../../src/app/start.ts';
import { SCRIPTS, scripted } from './scripted.ts';

const wanted = new URLSearchParams(location.search).get('script');
start(scripted(SCRIPTS.find((script) => script === wanted) ?? 'ok'));
