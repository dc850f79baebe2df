/**
 * Where a commit graph is drawn beside its listing.
 *
 * Invariant: a line keeps its column from the child it leaves to the parent it reaches, so lines between rows are
 * straight; rows that were placed stay as they are when older ones are appended. Children come before their parents.
 */

/** A row of the graph: columns, from 0. */
export interface LaneRow {
  /** The commit's own. */
  readonly node: number;
  /** Lines that pass by. */
  readonly through: readonly number[];
  /** Lines from above that end at the commit. */
  readonly into: readonly number[];
  /** Lines that leave downwards, to its parents. */
  readonly out: readonly number[];
  /** How many columns the row needs. */
  readonly width: number;
}

interface Linked {
  readonly id: string;
  readonly parents: readonly string[];
}

export class Lanes {
  readonly rows: LaneRow[] = [];

  /** Place further commits below those that are there. */
  append(commits: readonly Linked[]): void {
    for (const commit of commits) {
      this.rows.push(this.place(commit));
    }
  }

  private place(commit: Linked): LaneRow {
    const into = this.waiting(commit.id);
    const node = into[0] ?? this.free();
    for (const column of into) {
      this.columns[column] = null;
    }
    const through = this.taken();
    const out: number[] = [];
    commit.parents.forEach((parent, position) => {
      const there = this.columns.indexOf(parent);
      // The first parent goes straight on, even where another line leads to it already: branches stay apart until then.
      const column = position === 0 && this.columns[node] == null ? node : there >= 0 ? there : this.free();
      this.columns[column] = parent;
      out.push(column);
    });
    while (this.columns.length > 0 && this.columns[this.columns.length - 1] === null) {
      this.columns.pop();
    }
    const width = 1 + Math.max(node, ...through, ...into, ...out);
    return { node, through, into, out, width };
  }

  private waiting(id: string): number[] {
    const found: number[] = [];
    for (let column = 0; column < this.columns.length; column++) {
      if (this.columns[column] === id) {
        found.push(column);
      }
    }
    return found;
  }

  private taken(): number[] {
    const found: number[] = [];
    for (let column = 0; column < this.columns.length; column++) {
      if (this.columns[column] !== null) {
        found.push(column);
      }
    }
    return found;
  }

  private free(): number {
    const column = this.columns.indexOf(null);
    return column >= 0 ? column : this.columns.length;
  }

  /** For each column the commit that its line leads to. */
  private readonly columns: (string | null)[] = [];
}
