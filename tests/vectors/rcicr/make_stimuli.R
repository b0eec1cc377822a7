# Writes a stimulus file with the structure of rcicr 1.5's generateStimuli2IFC(), with
# base R alone: Rscript make_stimuli.R stimuli.Rdata img_size nscales n_trials seed
#
# The names, orders and formulas are those that a file of rcicr has; the code is ours.

arguments <- commandArgs(trailingOnly = TRUE)
file <- arguments[1]
numbers <- as.integer(arguments[2:5])
img_size <- numbers[1]
nscales <- numbers[2]
n_trials <- numbers[3]
seed <- numbers[4]

sinusoid <- function(size, angle, phase) {
  along <- matrix(seq(0, 2, length.out = size), size, size, byrow = TRUE)
  turns <- along * cos(angle * pi / 180) + t(along) * sin(angle * pi / 180)
  sin(2 * pi * turns + phase)
}

angles <- c(0, 30, 60, 90, 120, 150)
phases <- c(0, pi / 2)
patches <- array(0, c(img_size, img_size, 12 * nscales))
patchIdx <- array(0, c(img_size, img_size, 12 * nscales))
layer <- 1
index <- 1
for (scale in 2^(seq_len(nscales) - 1)) {
  size <- img_size / scale
  for (angle in angles) {
    for (phase in phases) {
      patch <- sinusoid(size, angle, phase)
      for (column in seq_len(scale)) {
        for (row in seq_len(scale)) {
          rows <- (size * (row - 1) + 1):(size * row)
          columns <- (size * (column - 1) + 1):(size * column)
          patches[rows, columns, layer] <- patch
          patchIdx[rows, columns, layer] <- index
          index <- index + 1
        }
      }
      layer <- layer + 1
    }
  }
}
p <- list(patches = patches, patchIdx = patchIdx, noise_type = "sinusoid",
          generator_version = package_version("1.5.0"))

# A dark oval on a light ground.
at <- seq(-1, 1, length.out = img_size)
face <- 1 - exp(-outer(1.5 * at^2, 3 * at^2, "+"))
face <- (face - min(face)) / (max(face) - min(face))
base_face_files <- list(face = "face.png")
base_faces <- list(face = face)

set.seed(seed)
params <- t(replicate(n_trials, runif(index - 1) * 2 - 1))
stimuli_params <- list(face = params)
label <- "rcic"
noise_type <- "sinusoid"
sigma <- 25
stimulus_path <- "stimuli"
use_same_parameters <- TRUE
generator_version <- package_version("1.5.0")

save(base_face_files, base_faces, img_size, label, n_trials, noise_type, nscales,
     sigma, p, seed, stimuli_params, stimulus_path, use_same_parameters,
     generator_version, file = file, version = 2, compress = "xz")
