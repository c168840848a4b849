// Text for people.

export function formatHours(hours) {
  const whole = Math.floor(hours);
  const minutes = Math.round((hours - whole) * 60);
  return `${whole} h ${minutes} min`;
}

export function slugify(title) {
  return title.trim().toLowerCase().replace(/\s+/g, "-");
}

export function parseLeg(text) {
  const [name, distance] = text.split(":");
  return { name: name.trim(), distance: Number(distance) };
}
