/** Outputs of trusted notebooks by Jupyter's own renderers, for components that know nothing of them. */
import { OutputModel, type IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IOutput } from '@jupyterlab/nbformat';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { Host } from '../components/host';

/** Return what shows an output in a place, and takes it away again. */
export function rendering(rendermime: IRenderMimeRegistry): NonNullable<Host['renderOutput']> {
  return (output, place) => {
    const model = new OutputModel({ value: output as IOutput, trusted: true });
    const mime = rendermime.preferredMimeType(model.data, 'any');
    if (!mime) {
      return () => model.dispose();
    }
    const renderer = rendermime.createRenderer(mime);
    MessageLoop.sendMessage(renderer, Widget.Msg.BeforeAttach);
    place.appendChild(renderer.node);
    MessageLoop.sendMessage(renderer, Widget.Msg.AfterAttach);
    renderer.renderModel(model).catch(error => {
      place.textContent = String(error);
    });
    return () => {
      MessageLoop.sendMessage(renderer, Widget.Msg.BeforeDetach);
      renderer.node.remove();
      MessageLoop.sendMessage(renderer, Widget.Msg.AfterDetach);
      renderer.dispose();
      model.dispose();
    };
  };
}
