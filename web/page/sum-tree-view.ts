/*
 * The canonical sum of the step under way: its leaves, and who adds what of the tree. A node belongs to the member that has all
 * leaves below it; what joins the sums of several members is added by the coordinator.
 */
import { html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit-html';
import type { MembersNews, ShareRow } from '../../shared/protocol/member-news.js';

/** Leaves that are drawn one by one; of more, each drawn leaf stands for several. */
const DRAWN_MAX = 64;
const ROW_HEIGHT = 22;
const WIDTH = 1000;
/** Colours in style.css. Further members have the same colours again, and other letters. */
const COLOURS = 4;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The letter of a member, by its place in the table. */
export function markOf(place: number): string {
  return LETTERS[place] ?? '·';
}

/** The owner of each drawn leaf: a place in the table of members; undefined: nobody has it yet. */
interface Drawn {
  readonly owners: readonly (number | undefined)[];
  readonly done: readonly boolean[];
}

/** The tree of who adds what. */
export function sumTreeView(news: MembersNews): TemplateResult {
  const { leaves, shares, members, step } = news;
  if (shares.length === 0) return html``;
  const per = 2 ** Math.max(0, Math.ceil(Math.log2(leaves / DRAWN_MAX)));
  const drawn = drawnLeaves(news, Math.ceil(leaves / per), per);
  const levels = levelsOf(drawn.owners);
  const names = members.map(({ name }, i) => `${markOf(i)}: ${name}`);
  const summary = `Step ${step + 1}: ${leaves} leaves. ${shares.map((share) => shareText(share, members)).join('; ')}`;
  return html`
    <section class="card full" aria-labelledby="tree-title">
      <h2 id="tree-title">Who adds what</h2>
      <p class="quiet">
        The sum of step ${step + 1} over ${leaves} leaves${per === 1 ? nothing : `, ${per} in each box of the lowest row`}. The
        order of the additions is fixed; who performs them changes nothing.
      </p>
      <svg
        id="sum-tree"
        role="img"
        aria-label=${summary}
        viewBox="0 0 ${WIDTH} ${levels.length * ROW_HEIGHT}"
        preserveAspectRatio="none"
      >
        ${[...levels].reverse().map((row, i) => rowView(row, i * ROW_HEIGHT, i === levels.length - 1 ? drawn.done : undefined))}
      </svg>
      <p class="legend">
        ${names.map((name, i) => (drawn.owners.includes(i) ? html`<span class="key member-${i % COLOURS}">${name}</span> ` : nothing))}
        <span class="key coordinator">added by the coordinator</span>
      </p>
    </section>
  `;
}

function drawnLeaves({ shares, members }: MembersNews, count: number, per: number): Drawn {
  const places = new Map(members.map(({ id }, i) => [id, i]));
  const of = Array.from({ length: count }, (_, i) =>
    shares.find(({ from, to }) => from <= i * per && i * per < to),
  );
  return {
    owners: of.map((share) => (share === undefined ? undefined : places.get(share.member))),
    done: of.map((share) => share?.isDone ?? false),
  };
}

/** The owners of each level's nodes, from the leaves up: undefined where several or nobody has the leaves below. */
function levelsOf(leaves: Drawn['owners']): Drawn['owners'][] {
  const levels = [leaves];
  for (let row = leaves; row.length > 1; ) {
    const below = row;
    row = Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => {
      const [left, right] = [below[2 * i], below[2 * i + 1]];
      return 2 * i + 1 >= below.length || left === right ? left : undefined;
    });
    levels.push(row);
  }
  return levels;
}

function rowView(
  owners: Drawn['owners'],
  y: number,
  done: readonly boolean[] | undefined,
): SVGTemplateResult[] {
  const width = WIDTH / owners.length;
  return owners.map((owner, i) => {
    const kind = owner === undefined ? 'coordinator' : `member-${owner % COLOURS}`;
    const state = done === undefined ? '' : done[i] ? ' done' : ' open';
    return svg`<rect class="node ${kind}${state}" x=${i * width + 1} y=${y + 1} width=${Math.max(1, width - 2)} height=${ROW_HEIGHT - 2} rx="3"></rect>`;
  });
}

function shareText({ member, from, to, isDone }: ShareRow, members: MembersNews['members']): string {
  const name = members.find(({ id }) => id === member)?.name ?? member;
  return `${name} has leaves ${from} to ${to - 1}${isDone ? ', which have arrived' : ''}`;
}
