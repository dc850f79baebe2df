/**
 * Keys of two strokes while a cell is edited.
 *
 * Lab hears a key only after the editor did, and CodeMirror keeps some for itself: of Ctrl+K Ctrl+I it takes the second
 * stroke, to select the syntax around the cursor. So once Lab has taken the first stroke of one of our commands, the
 * second is given to Lab first. Invariant: no other key, and no stroke that begins nothing, is touched.
 */
import { CommandRegistry } from '@lumino/commands';

// As long as Lab waits for the second stroke.
const WAITS_MS = 1000;

/** Let commands whose ids begin with `prefix` have their second stroke before the editor. */
export function preferChords(commands: CommandRegistry, prefix: string): void {
  let first: KeyboardEvent | undefined;
  document.addEventListener(
    'keydown',
    event => {
      if (CommandRegistry.isModifierKeyPressed(event)) {
        return;
      }
      const begun = first?.defaultPrevented && event.timeStamp - first.timeStamp < WAITS_MS ? strokeOf(first) : '';
      const stroke = strokeOf(event);
      const ours = commands.keyBindings.filter(binding => binding.command.startsWith(prefix));
      first = event; // whether Lab takes it is known when the next one comes
      if (begun && ours.some(({ keys }) => keys[0] === begun && keys[1] === stroke)) {
        commands.processKeydownEvent(event);
      }
    },
    true
  );
}

function strokeOf(event: KeyboardEvent): string {
  return CommandRegistry.keystrokeForKeydownEvent(event);
}
