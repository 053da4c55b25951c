"""Reading over HTTP, and the web page that reads in the browser."""
