/** All the text of the page, in the languages below; what only index.html and the manifest have is in
 *  English alone. site.py reads this object too, and puts the English entries into them; that is why it
 *  is written as JSON. */
export const WORDS = {
  "name": "digits",
  "title": [
    "digits: write a number and have it read",
    "digits: eine Zahl schreiben und lesen lassen",
    "digits: escribe un número y se leerá",
    "digits：手写数字，自动识别"
  ],
  "description": "Write a number with a mouse, finger, pen or keyboard. A neural network reads it, on your device if it can.",
  "headline": ["Write a number", "Schreiben Sie eine Zahl", "Escribe un número", "写一个数字"],
  "promise": [
    "A neural network reads it as you write.",
    "Ein neuronales Netz liest beim Schreiben mit.",
    "Una red neuronal lo lee mientras escribes.",
    "边写边由神经网络识别。"
  ],
  "board": [
    "Drawing area. The arrow keys move the pen; Space puts it down or lifts it.",
    "Zeichenfläche. Die Pfeiltasten bewegen den Stift; die Leertaste setzt ihn auf oder hebt ihn ab.",
    "Área de dibujo. Las flechas mueven el lápiz; la barra espaciadora lo apoya o lo levanta.",
    "书写区。方向键移动笔，空格键落笔或抬笔。"
  ],
  "board_hint": ["Write here", "Hier schreiben", "Escribe aquí", "在此书写"],
  "board_hint_more": [
    "one digit or a whole number",
    "eine Ziffer oder eine ganze Zahl",
    "una cifra o un número entero",
    "一个数字或一整串数字"
  ],
  "undo": ["Undo", "Rückgängig", "Deshacer", "撤销"],
  "redo": ["Redo", "Wiederholen", "Rehacer", "重做"],
  "clear": ["Clear", "Leeren", "Borrar", "清除"],
  "pen": ["Pen", "Stift", "Lápiz", "笔"],
  "picture": ["Picture", "Bild", "Imagen", "图片"],
  "photo": ["Photo", "Foto", "Foto", "拍照"],
  "keys": [
    "Keyboard: the arrow keys move the pen (faster with Shift), Space puts it down and lifts it, Ctrl+Z undoes, Ctrl+Shift+Z redoes, Escape clears. To erase a digit, scratch it out, or tap it in the result.",
    "Tastatur: Pfeiltasten bewegen den Stift (mit Umschalt schneller), Leertaste setzt ihn auf und hebt ihn ab, Strg+Z: rückgängig, Strg+Umschalt+Z: wiederholen, Escape: leeren. Eine Ziffer löschen: durchkritzeln oder im Ergebnis antippen.",
    "Teclado: las flechas mueven el lápiz (más rápido con Mayús), la barra espaciadora lo apoya y lo levanta, Ctrl+Z deshace, Ctrl+Mayús+Z rehace, Escape borra todo. Para borrar una cifra, táchala con un garabato o tócala en el resultado.",
    "键盘：方向键移动笔（按住 Shift 更快），空格键落笔或抬笔，Ctrl+Z 撤销，Ctrl+Shift+Z 重做，Esc 清除。要擦掉一个数字，把它涂掉，或在结果中点它。"
  ],
  "drop": ["Drop the picture to read it", "Bild hier ablegen", "Suelta la imagen para leerla", "松开以识别图片"],
  "results": ["Result", "Ergebnis", "Resultado", "结果"],
  "number_empty": "–",
  "example": ["Try an example", "Beispiel ansehen", "Probar un ejemplo", "试一个例子"],
  "copy": ["Copy", "Kopieren", "Copiar", "复制"],
  "copied": ["Copied", "Kopiert", "Copiado", "已复制"],
  "correct": [
    "Tap a digit to correct it.",
    "Zum Korrigieren eine Ziffer antippen.",
    "Toca una cifra para corregirla.",
    "点一个数字即可更正。"
  ],
  "correct_this": ["{shown}: correct it", "{shown}: korrigieren", "{shown}: corregir", "{shown}：更正"],
  "correct_which": ["What is it?", "Was ist es?", "¿Qué es?", "这是几？"],
  "erase": ["Erase", "Löschen", "Borrar", "擦掉"],
  "again": ["Write it again", "Neu schreiben", "Escribirla de nuevo", "重写"],
  "close": ["Close", "Schließen", "Cerrar", "关闭"],
  "why": [
    "Show which ink decided the result",
    "Zeigen, welche Striche entschieden haben",
    "Mostrar qué trazos decidieron el resultado",
    "显示哪些笔迹决定了结果"
  ],
  "why_explained": [
    "Orange marks the ink that decided the result: without it the network would be less sure.",
    "Orange ist, was entschieden hat: ohne diese Striche wäre das Netz weniger sicher.",
    "En naranja, los trazos que decidieron: sin ellos la red estaría menos segura.",
    "橙色是决定结果的笔迹：没有它，网络就没有那么确定。"
  ],
  "why_impossible": [
    "Available only when the model runs on this device.",
    "Nur, wenn das Modell auf diesem Gerät läuft.",
    "Solo si el modelo se ejecuta en este dispositivo.",
    "仅当模型在本机运行时可用。"
  ],
  "about": ["About the model", "Über das Modell", "Sobre el modelo", "关于模型"],
  "privacy": [
    "Nothing that you draw leaves this device.",
    "Nichts, was Sie zeichnen, verlässt dieses Gerät.",
    "Nada de lo que dibujas sale de este dispositivo.",
    "您写的内容不会离开本机。"
  ],
  "privacy_sent": [
    "Of what you drew, only the digits that you sent have left this device.",
    "Von dem, was Sie gezeichnet haben, haben nur die geschickten Ziffern dieses Gerät verlassen.",
    "De lo que has dibujado, solo han salido de este dispositivo las cifras que has enviado.",
    "您写的内容中，只有您发送的数字离开了本机。"
  ],
  "privacy_server": [
    "What you draw is sent to this site's server, which reads it.",
    "Was Sie zeichnen, wird an den Server dieser Seite geschickt, der es liest.",
    "Lo que dibujas se envía al servidor de este sitio, que lo lee.",
    "您写的内容会发送到本站服务器，由其识别。"
  ],
  "privacy_picture": [
    "A picture is sent to this site's server if there is one; otherwise it is read on this device. Your drawing is kept until you close the tab.",
    "Ein Bild wird an den Server dieser Seite geschickt, wenn es einen gibt; sonst wird es auf diesem Gerät gelesen. Ihre Zeichnung bleibt erhalten, bis Sie den Tab schließen.",
    "Una imagen se envía al servidor de este sitio si lo hay; si no, se lee en este dispositivo. Tu dibujo se conserva hasta que cierres la pestaña.",
    "如果本站有服务器，图片会发送给它；否则在本机识别。您写的内容保留到关闭标签页为止。"
  ],
  "licences": [
    "The model runs on LiteRT.js (Apache-2.0).",
    "Das Modell läuft auf LiteRT.js (Apache-2.0).",
    "El modelo funciona con LiteRT.js (Apache-2.0).",
    "模型由 LiteRT.js（Apache-2.0）运行。"
  ],
  "no_script": "This page needs JavaScript: it reads what you draw, on your own device if it can.",
  "not_sure": ["not sure", "unsicher", "dudoso", "不确定"],
  "chosen": ["corrected", "korrigiert", "corregida", "已更正"],
  "loading": [
    "Loading the model. You can start writing.",
    "Das Modell wird geladen. Sie können schon schreiben.",
    "Cargando el modelo. Ya puedes escribir.",
    "正在加载模型，您可以先写。"
  ],
  "loading_share": [
    "Loading the model: {percent}. You can start writing.",
    "Das Modell wird geladen: {percent}. Sie können schon schreiben.",
    "Cargando el modelo: {percent}. Ya puedes escribir.",
    "正在加载模型：{percent}。您可以先写。"
  ],
  "loading_stuck": [
    "The download has stopped at {percent}. Check the connection, or reload the page.",
    "Der Download steht bei {percent}. Prüfen Sie die Verbindung, oder laden Sie die Seite neu.",
    "La descarga se ha detenido en el {percent}. Comprueba la conexión o recarga la página.",
    "下载停在 {percent}。请检查网络，或重新加载页面。"
  ],
  "ready": [
    "Your writing is read on this device.",
    "Wird auf diesem Gerät gelesen.",
    "Se lee en este dispositivo.",
    "在本机识别。"
  ],
  "ready_server": [
    "The model cannot run here ({reason}), so the server reads what you draw.",
    "Das Modell läuft hier nicht ({reason}); der Server liest, was Sie zeichnen.",
    "El modelo no funciona aquí ({reason}); el servidor lee lo que dibujas.",
    "模型无法在此运行（{reason}），由服务器识别。"
  ],
  "no_reader": [
    "Nothing can be read: the model cannot run here ({reason}), and no server is available ({server}). Reload the page, or try another browser.",
    "Nichts kann gelesen werden: das Modell läuft hier nicht ({reason}), und es gibt keinen Server ({server}). Laden Sie die Seite neu, oder nehmen Sie einen anderen Browser.",
    "No se puede leer nada: el modelo no funciona aquí ({reason}) y no hay servidor ({server}). Recarga la página o prueba otro navegador.",
    "无法识别：模型不能在此运行（{reason}），也没有服务器（{server}）。请重新加载页面，或换一个浏览器。"
  ],
  "reason_none": [
    "this site comes without it",
    "diese Seite hat keines",
    "este sitio no lo incluye",
    "本站不含模型"
  ],
  "reason_failed": ["it could not be loaded", "es konnte nicht geladen werden", "no se pudo cargar", "无法加载"],
  "reading_failed": [
    "Reading failed ({reason}). Reload the page.",
    "Das Lesen ist fehlgeschlagen ({reason}). Laden Sie die Seite neu.",
    "La lectura ha fallado ({reason}). Recarga la página.",
    "识别失败（{reason}）。请重新加载页面。"
  ],
  "picture_server": ["Read by the server.", "Vom Server gelesen.", "Leída por el servidor.", "由服务器识别。"],
  "picture_device": [
    "Read on this device, where boxes, rules and shadows cannot be told from ink: no server is available ({server}).",
    "Auf diesem Gerät gelesen, wo Kästen, Linien und Schatten nicht von Tinte zu unterscheiden sind: es gibt keinen Server ({server}).",
    "Leída en este dispositivo, donde casillas, rayas y sombras no se distinguen de la tinta: no hay servidor ({server}).",
    "在本机识别，无法区分方框、横线、阴影与笔迹：没有服务器（{server}）。"
  ],
  "picture_reading": ["Reading {name}.", "{name} wird gelesen.", "Leyendo {name}.", "正在识别 {name}。"],
  "picture_unnamed": ["the picture", "das Bild", "la imagen", "图片"],
  "picture_empty": [
    "There is no ink in {name}: it is all one colour. Try another picture.",
    "In {name} ist keine Tinte: alles hat dieselbe Farbe. Nehmen Sie ein anderes Bild.",
    "No hay tinta en {name}: todo es de un color. Prueba otra imagen.",
    "{name} 中没有笔迹：只有一种颜色。请换一张图片。"
  ],
  "picture_busy": [
    "{name} has too much on it to be read on this device, and no server is available ({server}). Crop it to one number.",
    "Auf {name} ist zu viel, um es auf diesem Gerät zu lesen, und es gibt keinen Server ({server}). Schneiden Sie eine Zahl aus.",
    "{name} tiene demasiado para leerla en este dispositivo, y no hay servidor ({server}). Recorta un número.",
    "{name} 内容太多，无法在本机识别，也没有服务器（{server}）。请只裁出一个数字。"
  ],
  "picture_noise": [
    "To prevent fingerprinting, this browser hides the pixels of {name}. Allow this site to read canvases, or write the number.",
    "Dieser Browser verbirgt die Pixel von {name} vor Seiten, gegen Wiedererkennung. Erlauben Sie dieser Seite, Canvas-Daten zu lesen, oder schreiben Sie die Zahl.",
    "Este navegador oculta los píxeles de {name} a las páginas, contra el rastreo. Permite que este sitio lea lienzos, o escribe el número.",
    "为防追踪，浏览器不让网页读取 {name} 的像素。请允许本站读取画布，或直接书写。"
  ],
  "picture_not": [
    "This browser cannot open {name} as a picture. Save it as PNG or JPEG.",
    "Dieser Browser kann {name} nicht als Bild öffnen. Speichern Sie es als PNG oder JPEG.",
    "Este navegador no puede abrir {name} como imagen. Guárdala como PNG o JPEG.",
    "浏览器无法将 {name} 作为图片打开。请保存为 PNG 或 JPEG。"
  ],
  "picture_nobody": [
    "{name} cannot be read: the model is not ready here, and no server is available ({server}).",
    "{name} kann nicht gelesen werden: das Modell ist hier nicht bereit, und es gibt keinen Server ({server}).",
    "No se puede leer {name}: el modelo no está listo aquí y no hay servidor ({server}).",
    "无法识别 {name}：模型未就绪，也没有服务器（{server}）。"
  ],
  "server_none": ["status {status}", "Status {status}", "estado {status}", "状态 {status}"],
  "server_unreachable": ["not reachable", "nicht erreichbar", "inaccesible", "无法连接"],
  "server_strange": ["unexpected answer", "unerwartete Antwort", "respuesta inesperada", "意外的响应"],
  "read_blank": ["Nothing is drawn.", "Nichts ist gezeichnet.", "No hay nada dibujado.", "没有内容。"],
  "read_none": [
    "Not sure, or not a digit.",
    "Unsicher oder keine Ziffer.",
    "Dudoso, o no es una cifra.",
    "不确定，或不是数字。"
  ],
  "read_number": ["Read: {number}.", "Gelesen: {number}.", "Leído: {number}.", "识别结果：{number}。"],
  "read_digit": ["{digit}, {percent}", "{digit}, {percent}", "{digit}, {percent}", "{digit}，{percent}"],
  "read_refused": ["not sure", "unsicher", "dudoso", "不确定"],
  "card": [
    "{digit}, {percent} sure",
    "{digit}, zu {percent} sicher",
    "{digit}, {percent} de certeza",
    "{digit}，把握 {percent}"
  ],
  "card_refused": [
    "Not sure, or not a digit; most likely {digit}, {percent}",
    "Unsicher oder keine Ziffer; am ehesten {digit}, {percent}",
    "Dudoso, o no es una cifra; lo más probable: {digit}, {percent}",
    "不确定，或不是数字；最可能是 {digit}，{percent}"
  ],
  "card_chosen": [
    "{digit}, corrected by you",
    "{digit}, von Ihnen korrigiert",
    "{digit}, corregida por ti",
    "{digit}，由您更正"
  ],
  "seen": [
    "The {digit} as the network sees it, 28 by 28 pixels",
    "Die {digit}, wie das Netz sie sieht, 28 mal 28 Pixel",
    "El {digit} como lo ve la red, 28 por 28 píxeles",
    "网络看到的 {digit}，28×28 像素"
  ],
  "bar": ["{digit}: {percent}", "{digit}: {percent}", "{digit}: {percent}", "{digit}：{percent}"],
  "pen_down": ["Pen down", "Stift aufgesetzt", "Lápiz apoyado", "落笔"],
  "pen_up": ["Pen up", "Stift abgehoben", "Lápiz levantado", "抬笔"],
  "update": [
    "A new version of this page is ready.",
    "Eine neue Fassung dieser Seite ist bereit.",
    "Hay una nueva versión de esta página.",
    "本页有新版本。"
  ],
  "update_now": ["Reload", "Neu laden", "Recargar", "重新加载"],
  "teaching": [
    "Kept for teaching: {count}",
    "Zum Anlernen aufbewahrt: {count}",
    "Guardadas para enseñar: {count}",
    "留作训练：{count}"
  ],
  "teaching_explained": [
    "The digits that you corrected. They stay on this device until you delete them; “digits teach” learns from the folder in the download.",
    "Die Ziffern, die Sie korrigiert haben. Sie bleiben auf diesem Gerät, bis Sie sie löschen; „digits teach“ lernt aus dem Ordner im Download.",
    "Las cifras que has corregido. Se quedan en este dispositivo hasta que las borres; «digits teach» aprende de la carpeta descargada.",
    "您更正过的数字。它们只保存在本机，直到您删除；“digits teach”可从下载的文件夹学习。"
  ],
  "teaching_download": ["Download", "Herunterladen", "Descargar", "下载"],
  "teaching_delete": ["Delete all", "Alle löschen", "Borrar todas", "全部删除"],
  "teaching_remove": ["Delete this {label}", "Diese {label} löschen", "Borrar este {label}", "删除这个 {label}"],
  "teaching_send": ["Send to the server", "An den Server schicken", "Enviar al servidor", "发送到服务器"],
  "teaching_where": [
    "This site's server collects digits in its folder {folder}. Nothing is sent until you press the button.",
    "Der Server dieser Seite sammelt Ziffern in seinem Ordner {folder}. Geschickt wird erst, wenn Sie den Knopf drücken.",
    "El servidor de este sitio reúne cifras en su carpeta {folder}. No se envía nada hasta que pulses el botón.",
    "本站服务器将数字收集到其文件夹 {folder}。在您按下按钮之前不会发送任何内容。"
  ],
  "teaching_sent": [
    "Sent to {folder} on the server: {kept}.",
    "In {folder} auf dem Server geschickt: {kept}.",
    "Enviadas a {folder}, en el servidor: {kept}.",
    "已发送到服务器的 {folder}：{kept} 个。"
  ],
  "teaching_not_sent": [
    "Those still here could not be sent ({reason}).",
    "Die noch hier sind, konnten nicht geschickt werden ({reason}).",
    "Las que siguen aquí no se pudieron enviar ({reason}).",
    "仍在本机的数字未能发送（{reason}）。"
  ],
  "teaching_not_kept": [
    "The browser keeps nothing here, so the digit was not kept for teaching.",
    "Der Browser speichert hier nichts; die Ziffer wurde nicht zum Anlernen aufbewahrt.",
    "El navegador no guarda nada aquí; la cifra no se ha guardado para enseñar.",
    "浏览器在此不保存内容，该数字未留作训练。"
  ],
  "about_model": [
    "The model is “{name}”, a convolutional network with {parameters} weights, trained on MNIST on {created}.",
    "Das Modell ist „{name}“, ein Faltungsnetz mit {parameters} Gewichten, am {created} auf MNIST trainiert.",
    "El modelo es «{name}», una red convolucional con {parameters} pesos, entrenada con MNIST el {created}.",
    "模型为“{name}”，卷积网络，{parameters} 个权重，于 {created} 用 MNIST 训练。"
  ],
  "about_accuracy": [
    "It reads {accuracy} of MNIST's 10,000 test digits correctly (95 % interval {low} to {high}) and accepts {accepted} of them.",
    "Es liest {accuracy} der 10.000 Testziffern von MNIST richtig (95-%-Intervall {low} bis {high}) und nimmt {accepted} davon an.",
    "Lee bien el {accuracy} de las 10 000 cifras de prueba de MNIST (intervalo del 95 %: {low} a {high}) y acepta el {accepted}.",
    "它正确识别 MNIST 10,000 个测试数字的 {accuracy}（95 % 区间 {low} 至 {high}），接受其中的 {accepted}。"
  ],
  "about_rejection": [
    "Of new letters, signs and scribbles of the kinds that it was trained to reject, it accepts {non_digits}.",
    "Von neuen Buchstaben, Zeichen und Kritzeleien der Arten, die es abzulehnen gelernt hat, nimmt es {non_digits} an.",
    "De letras, signos y garabatos nuevos de las clases que aprendió a rechazar, acepta el {non_digits}.",
    "对于它学会拒绝的各类新字母、符号和涂鸦，它接受 {non_digits}。"
  ],
  "about_calibrated": [
    "Its confidence is calibrated: on MNIST's test digits it is off by {error} on average.",
    "Seine Sicherheit ist kalibriert: auf MNISTs Testziffern weicht sie im Mittel um {error} ab.",
    "Su confianza está calibrada: en las cifras de prueba de MNIST se desvía un {error} de media.",
    "其置信度经过校准：在 MNIST 测试数字上平均偏差 {error}。"
  ],
  "about_unknown": [
    "Nothing is known about the model: its manifest could not be loaded.",
    "Über das Modell ist nichts bekannt: sein Manifest konnte nicht geladen werden.",
    "No se sabe nada del modelo: no se pudo cargar su manifiesto.",
    "模型信息未知：无法加载其清单。"
  ]
};

const LANGUAGES = ["en", "de", "es", "zh"];

/** The language of the page: the first of the user's that there is. */
export const LANGUAGE =
  navigator.languages.map((name) => name.split("-")[0]).find((name) => LANGUAGES.includes(name)) ?? "en";
const COLUMN = LANGUAGES.indexOf(LANGUAGE);

/**
 * A piece of the page's text.
 * @param {string} name of the entry in WORDS
 * @param {Object<string, string|number>} values that replace the names in braces
 * @returns {string}
 */
export function say(name, values = {}) {
  return WORDS[name][COLUMN].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
