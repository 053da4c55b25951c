/** Paints the drawing area: a picture or strokes, what was read underlined, and the keyboard's pen. */
import { trace } from "./strokes.js";

/**
 * @typedef {object} Scene
 * @property {import("./strokes.js").Stroke[]} strokes that are finished
 * @property {import("./strokes.js").Stroke | null} stroke that is being written
 * @property {number} scale of the strokes; below 1 if the area is smaller than the drawing
 * @property {{box: import("./strokes.js").Box, accepted: boolean}[]} marks
 * @property {import("./strokes.js").Box | null} place where something is to be written again
 * @property {{bitmap: ImageBitmap, boxes: {box: number[], accepted: boolean}[]} | null} picture
 * @property {{x: number, y: number, width: number, down: boolean} | null} pen of the keyboard
 *
 * @param {HTMLCanvasElement} element
 * @returns {(scene: Scene) => void}
 */
export function viewOn(element) {
  const context = element.getContext("2d");
  const finished = document.createElement("canvas").getContext("2d"); // strokes that do not change
  let drawn = null; // those on it
  let drawnAs = "";

  return (scene) => {
    const density = element.width / Math.max(element.clientWidth, 1);
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name);
    context.resetTransform();
    context.clearRect(0, 0, element.width, element.height);
    context.scale(density, density);
    if (scene.picture) paintPicture(scene.picture, colour);
    context.scale(scene.scale, scene.scale);
    paintMarks(scene, colour);
    paintFinished(scene, density * scene.scale, colour("--ink"));
    context.strokeStyle = colour("--ink");
    if (scene.stroke) trace(context, [scene.stroke]);
    if (scene.pen) paintPen(scene.pen, colour);
  };

  function paintFinished({ strokes }, scale, ink) {
    const as = `${element.width} ${element.height} ${scale} ${ink}`;
    if (strokes !== drawn || as !== drawnAs) {
      [drawn, drawnAs] = [strokes, as];
      finished.canvas.width = element.width; // which clears it
      finished.canvas.height = element.height;
      finished.scale(scale, scale);
      finished.strokeStyle = ink;
      trace(finished, strokes);
    }
    if (!strokes.length) return;
    context.save();
    context.resetTransform();
    context.drawImage(finished.canvas, 0, 0);
    context.restore();
  }

  function paintMarks({ marks, place, scale }, colour) {
    context.lineWidth = 3 / scale;
    for (const { box, accepted } of marks) {
      context.strokeStyle = colour(accepted ? "--accent" : "--soft");
      context.setLineDash(accepted ? [] : [2, 7]);
      context.beginPath();
      context.moveTo(box.x0 + 3, box.y1 + 10);
      context.lineTo(box.x1 - 3, box.y1 + 10);
      context.stroke();
    }
    if (place) {
      context.strokeStyle = colour("--soft");
      context.lineWidth = 1.5 / scale;
      context.setLineDash([5, 5]);
      context.beginPath();
      context.roundRect(place.x0 - 8, place.y0 - 8, place.x1 - place.x0 + 16, place.y1 - place.y0 + 16, 10);
      context.stroke();
    }
    context.setLineDash([]);
  }

  function paintPicture({ bitmap, boxes }, colour) {
    const { clientWidth, clientHeight } = element;
    const fits = Math.min(clientWidth / bitmap.width, clientHeight / bitmap.height);
    const left = (clientWidth - bitmap.width * fits) / 2;
    const top = (clientHeight - bitmap.height * fits) / 2;
    context.drawImage(bitmap, left, top, bitmap.width * fits, bitmap.height * fits);
    context.lineWidth = 2;
    for (const { box, accepted } of boxes) {
      const [x, y, width, height] = box.map((side) => side * fits);
      context.strokeStyle = colour(accepted ? "--accent" : "--soft");
      context.setLineDash(accepted ? [] : [2, 7]);
      context.strokeRect(left + x, top + y, width, height);
    }
    context.setLineDash([]);
  }

  function paintPen({ x, y, width, down }, colour) {
    context.beginPath();
    context.arc(x, y, width / 2 + 4, 0, 2 * Math.PI);
    context.strokeStyle = colour("--accent");
    context.lineWidth = down ? 4 : 2;
    context.stroke();
  }
}
