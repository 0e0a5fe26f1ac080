import { createRoot } from 'react-dom/client';
import { PrivateAnswer } from './PrivateAnswer.tsx';

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<PrivateAnswer model="squad-distilbert" />);
