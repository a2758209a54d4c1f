// Starts `nnc lsp` and hands it to VS Code.

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = workspace.getConfiguration("nnc").get("path") || "nnc";
  client = new LanguageClient(
    "nnc",
    "nnc",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ language: "nn" }],
      // Programs and data that change behind the editor's back.
      synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.{nn,csv,tsv}") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(`\`${command} lsp\` cannot be started: ${error}. The setting nnc.path names the command.`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) await running.stop();
}

exports.activate = async (context) => {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(commands.registerCommand("nnc.restart", restart));
  await start();
};

exports.deactivate = stop;
