/* Shows charts and tables. Earlier scripts define uPlot, design, and REPORT. */
const { title, lines, charts, tables } = REPORT;
const main = document.querySelector('main');
document.title = title;
document.querySelector('h1').textContent = title;
for (const line of lines) {
  const paragraph = document.createElement('p');
  paragraph.textContent = line;
  document.getElementById('lines').append(paragraph);
}

function section(heading, note) {
  const element = document.createElement('section');
  element.className = 'card';
  element.appendChild(document.createElement('h2')).textContent = heading;
  if (note !== undefined) {
    const paragraph = element.appendChild(document.createElement('p'));
    paragraph.className = 'quiet';
    paragraph.textContent = note;
  }
  main.append(element);
  return element;
}

for (const { title: heading, note, x, curves, isLogarithmic } of charts) {
  const place = section(heading, note).appendChild(document.createElement('div'));
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', `${heading}: ${curves.map(({ label }) => label).join(', ')}`);
  if (curves.length === 0) continue;
  design.keepDrawn(
    place,
    (width) =>
      new uPlot(
        {
          width,
          height: 260,
          scales: { x: { time: false }, y: isLogarithmic ? { distr: 3 } : {} },
          axes: [
            design.axis(),
            design.axis({
              size: 70,
              values: (_, ticks) => ticks.map((tick) => (tick == null ? '' : design.numberText(tick))),
            }),
          ],
          series: [
            { label: 'step', value: (_, value) => design.numberText(value) },
            ...curves.map(({ label, isPoints }, i) => ({
              ...design.curve(i),
              label,
              spanGaps: true,
              points: { show: isPoints, size: 7 },
              value: (_, value) => design.numberText(value),
            })),
          ],
        },
        [x, ...curves.map(({ values }) => values)],
        place,
      ),
  );
}

/** The first chart: what can be sorted is looked at before. */
const firstChart = main.firstElementChild;

/** Where numbers are compared, what is none comes last. */
function compared(a, b, isDown) {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  const order = Number.isNaN(x) ? a.localeCompare(b) : x - y;
  return isDown ? -order : order;
}

/** The heading of a column becomes a button that sorts the rows by it, and then the other way round. */
function makeSortable(cell, column, body) {
  const button = document.createElement('button');
  button.textContent = cell.textContent;
  cell.replaceChildren(button);
  button.addEventListener('click', () => {
    const isDown = cell.getAttribute('aria-sort') === 'ascending';
    for (const other of cell.parentElement.cells) other.removeAttribute('aria-sort');
    cell.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
    const textOf = (line) => line.cells[column].textContent;
    body.append(...[...body.rows].sort((a, b) => compared(textOf(a), textOf(b), isDown)));
  });
}

for (const { title: heading, columns, rows, isWords, isSortable, links = [] } of tables) {
  const element = section(heading);
  element.classList.add('full');
  if (isSortable) {
    firstChart?.before(element);
    element.classList.add('sortable');
  }
  const scroll = element.appendChild(document.createElement('div'));
  scroll.className = 'scroll';
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', heading);
  const table = scroll.appendChild(document.createElement('table'));
  if (isWords) table.className = 'words';
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    const cell = head.appendChild(document.createElement('th'));
    cell.scope = 'col';
    cell.textContent = column;
  }
  const body = table.createTBody();
  for (const [i, row] of rows.entries()) {
    const line = body.insertRow();
    for (const text of row) line.insertCell().textContent = text;
    if (links[i] == null) continue;
    const link = document.createElement('a');
    link.href = links[i];
    link.textContent = row[0];
    line.cells[0].replaceChildren(link);
  }
  if (isSortable) for (const [column, cell] of [...head.cells].entries()) makeSortable(cell, column, body);
}
