/**
 * The stand-alone page: its address says which view is shown, each view comes when it is asked for.
 *
 * Small, since the first comparison is asked for here: the server makes it while the code that shows it is loaded.
 */
import { askedOf, requestOf } from '../model/asked';
import { posted, routeUrl } from '../wire/transport';
import { ahead } from './ahead';
import { transport } from './transport';
import '../../style/page.css';
import '../../style/index.css';

/** What `?view=` may say. A view reads the rest of the address itself. */
const VIEWS = {
  start: () => import('./start'),
  diff: () => import('./diff'),
  merge: () => import('./merge'),
  handed: () => import('./handed')
};

const query = new URLSearchParams(window.location.search);
const wanted = query.get('view') ?? '';
const name = Object.hasOwn(VIEWS, wanted) ? (wanted as keyof typeof VIEWS) : 'start';
const plain = transport();
const used = name === 'diff' ? ahead(plain, routeUrl('diff'), posted(askedOf(requestOf(query)))) : plain;
void Promise.all([import('./app'), VIEWS[name]()]).then(([{ show }, view]) => show(view.default, used));
