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

for (const { title: heading, columns, rows, isWords } of tables) {
  const element = section(heading);
  element.classList.add('full');
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
  for (const row of rows) {
    const line = body.insertRow();
    for (const text of row) line.insertCell().textContent = text;
  }
}
