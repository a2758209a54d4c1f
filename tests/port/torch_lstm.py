import torch
from torch import nn

class Tagger(nn.Module):
    def __init__(self, vocab, hidden=24):
        super().__init__()
        self.embedding = nn.Embedding(vocab, 12)
        self.rnn = nn.GRU(12, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 4)

    def forward(self, x):
        e = self.embedding(x)
        out, _ = self.rnn(e)
        return self.head(out[:, -1, :])

model = Tagger(vocab=50)
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=0.002, weight_decay=1e-4)
