"""What the server imports once for all verbs: it is named to it and used by none."""

import torch
import torch._dynamo  # torch's optimisers ask for it when the first one is made: seconds

from stages import benchmark, report, sample, shard, train
from stages.cli import app, export
from stages.methods.dsi import decoder, inpaint, prior, vq
from stages.methods.flow_fill import inpaint as flow_fill
from stages.methods.latent_codes import inpaint as latent_codes
from stages.methods.mm_invertfill import encoder
from stages.methods.mm_invertfill import inpaint as mm_invertfill

torch.set_num_threads(1)
PRELOADED = (app, benchmark, export, report, sample, shard, train, torch._dynamo)
METHODS = (decoder, encoder, flow_fill, inpaint, latent_codes, mm_invertfill, prior, vq)
