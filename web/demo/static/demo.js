// The shop uses the widget's own interface, as any page may.
for (const button of document.querySelectorAll("[data-chat]")) button.addEventListener("click", () => window.Rapport?.open());
