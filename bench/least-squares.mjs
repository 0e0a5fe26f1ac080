// Least squares of the relative error, for a handful of points and two or three terms.

/**
 * @param points pairs of x and y, y positive @param terms functions of x by name
 * @returns the coefficient of each term, the largest relative error over the points, and the x where it is
 */
export function fitted(points, terms) {
  const names = Object.keys(terms);
  // Divided by y each row asks for 1, so the error of a small run weighs as much as that of a large one.
  const rows = points.map(([x, y]) => names.map((name) => terms[name](x) / y));
  const normal = names.map((_, i) => [
    ...names.map((_name, j) => rows.reduce((total, row) => total + row[i] * row[j], 0)),
    rows.reduce((total, row) => total + row[i], 0),
  ]);
  const coefficients = solved(normal);
  const errors = rows.map((row) => Math.abs(row.reduce((total, value, i) => total + value * coefficients[i], 0) - 1));
  const largest = Math.max(...errors);
  return {
    ...Object.fromEntries(names.map((name, i) => [name, Number(coefficients[i].toPrecision(4))])),
    largestError: Number(largest.toPrecision(2)),
    largestAt: points[errors.indexOf(largest)][0],
  };
}

/** Gauss's elimination with the largest pivot; the last column is the right side. */
function solved(system) {
  const size = system.length;
  const rows = system.map((row) => [...row]);
  for (let column = 0; column < size; column++) {
    const pivot = rows.reduce(
      (best, row, i) => (i >= column && Math.abs(row[column]) > Math.abs(rows[best][column]) ? i : best),
      column,
    );
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const factor = rows[i][column] / rows[column][column];
      rows[i] = rows[i].map((value, j) => value - factor * rows[column][j]);
    }
  }
  return rows.map((row, i) => row[size] / row[i]);
}
