import { html, nothing, type TemplateResult } from 'lit-html';
import type { MemberRow, MembersNews } from '../../shared/protocol/member-news.js';
import { countText, durationText, measureText } from './number-text.js';
import type { RunOperator } from './operate-view.js';
import { markOf } from './sum-tree-view.js';

const STATES: { readonly [S in MemberRow['state']]: string } = {
  here: "of the run's own process",
  active: 'active',
  standby: 'on standby',
  preparing: 'preparing',
};

interface Column {
  readonly title: string;
  readonly value: (row: MemberRow, all: number) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'samples', value: ({ samples }) => countText(samples) },
  {
    title: 'share',
    value: ({ samples }, all) => (all === 0 ? '–' : `${Math.round((100 * samples) / all)}%`),
  },
  { title: 'samples/s', value: ({ speed }) => (speed === undefined ? '–' : countText(speed)) },
  { title: 'ping, ms', value: ({ roundTripMs }) => optional(roundTripMs) },
  { title: 'exchange, ms', value: ({ exchangeMs }) => optional(exchangeMs) },
  { title: 'Mbit/s', value: ({ megabits }) => optional(megabits) },
  {
    title: 'heard',
    value: ({ silentMs }) => (silentMs === undefined ? '–' : `${(silentMs / 1000).toFixed(1)} s ago`),
  },
  { title: 'confirmed', value: ({ confirmed }) => countText(confirmed) },
  { title: 'expelled', value: ({ expelled }) => countText(expelled) },
  { title: 'here for', value: ({ seconds }) => durationText(seconds) },
];

/** The members of the run. @param operator removes members, if the link permits it; undefined: the run is over */
export function membersView(news: MembersNews, operator: RunOperator | undefined): TemplateResult {
  const { members, leftOut } = news;
  const all = members.reduce((sum, { samples }) => sum + samples, 0);
  const remover = operator?.isAdmitted ? operator : undefined;
  return html`
    <section class="card full" aria-labelledby="members-title">
      <h2 id="members-title">Members</h2>
      ${
        members.length === 0
          ? html`<p class="quiet">Nobody has joined.</p>`
          : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="members-title">
            <table id="members">
              <thead>
                <tr>
                  <th scope="col">name</th>
                  <th scope="col" class="words">what it does</th>
                  ${COLUMNS.map(({ title }) => html`<th scope="col">${title}</th>`)}
                  ${remover === undefined ? nothing : html`<th scope="col">take out</th>`}
                </tr>
              </thead>
              <tbody>
                ${members.map(
                  (row, i) => html`<tr data-member=${row.id}>
                  <th scope="row">${markOf(i)} ${row.name}<br /><span class="quiet">${whereText(row)}</span></th>
                  <td class="words">${STATES[row.state]}${row.reason === undefined ? nothing : `: ${row.reason}`}</td>
                  ${COLUMNS.map(({ value }) => html`<td>${value(row, all)}</td>`)}
                  ${remover === undefined ? nothing : takeOut(row, remover)}
                </tr>`,
                )}
              </tbody>
            </table>
          </div>`
      }
      ${leftOut === 0 ? nothing : html`<p class="quiet">and ${countText(leftOut)} more</p>`}
    </section>
  `;
}

/** What a member computes with, and where it is, as far as that is told. */
function whereText({ backend, threads, address }: MemberRow): string {
  const host = `${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return address === undefined ? host : `${host}, from ${address}`;
}

function takeOut({ id, name, state }: MemberRow, operator: RunOperator): TemplateResult {
  if (state === 'here') return html`<td></td>`;
  return html`
    <td>
      <button class="remove" aria-label="Remove ${name}" @click=${() => operator.ask('remove', id, name)}>remove</button>
      <button class="ban" aria-label="Ban ${name}" @click=${() => operator.ask('ban', id, name)}>ban</button>
    </td>
  `;
}

function optional(value: number | undefined): string {
  return value === undefined ? '–' : measureText(value);
}
